using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>
/// Record batches as a field of a message. Read: a view of the frame. Written: bytes in memory, or a source that the
/// connection copies from when the answer leaves, so that the codec never copies records.
/// </summary>
internal readonly struct RecordBytes
{
    public RecordBytes(ReadOnlyMemory<byte> memory) => (Memory, Length, IsPresent) = (memory, memory.Length, true);

    public RecordBytes(IRecordSource source) => (Source, Length, IsPresent) = (source, source.Length, true);

    /// <summary>Whether it is not null.</summary>
    public bool IsPresent { get; }

    /// <summary>Size in bytes.</summary>
    public int Length { get; }

    /// <summary>The bytes, when there is no <see cref="Source"/>.</summary>
    public ReadOnlyMemory<byte> Memory { get; }

    /// <summary>Where the bytes come from when they leave.</summary>
    public IRecordSource? Source { get; }
}

/// <summary>Records that are read while the answer is written. Owned by the answer; disposed when it has
/// left.</summary>
internal interface IRecordSource : IDisposable
{
    /// <summary>Size in bytes.</summary>
    int Length { get; }

    /// <summary>The bytes when they are in memory; empty when they are in a file.</summary>
    IReadOnlyList<ReadOnlyMemory<byte>> Memory { get; }

    /// <summary>Where the bytes begin in a file of the system; false when they are not in one.</summary>
    bool TryGetFile([NotNullWhen(true)] out SafeFileHandle? file, out long offset);

    /// <summary>Fills the target with the bytes from <paramref name="offset"/> on. Throws when the disk
    /// fails.</summary>
    void CopyTo(int offset, Span<byte> target);
}
