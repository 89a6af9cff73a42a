using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// What a read found: whole batches, either in memory (the newest bytes) or as a region of a file, so that it can be
/// sent
/// without a copy. Reusable, one owner; gives back what it borrowed with <see cref="Reset"/>.
/// </summary>
public sealed class PartitionRead : IDisposable
{
    private const int CopyBytes = 128 << 10;
    private readonly List<HotChunk> _held = [];
    private readonly List<ReadOnlyMemory<byte>> _memory = [];
    private PartitionSegment? _segment;
    private IFile? _file;
    private OpenFiles? _files;

    /// <summary>Bytes found; 0 when there is nothing.</summary>
    public int Bytes { get; private set; }

    /// <summary>The offset behind the last batch.</summary>
    public long EndOffset { get; internal set; } = -1;

    /// <summary>True when the bytes are in a file.</summary>
    public bool IsInFile => _file is not null;

    /// <summary>The bytes when they are in memory. Valid until <see cref="Reset"/>.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Memory => _memory;

    /// <summary>Where in the file the region begins.</summary>
    public long FileOffset { get; private set; }

    /// <summary>The file's handle for the system's own copying; null when it is no file of the system. Valid until
    /// <see cref="Reset"/>.</summary>
    public SafeFileHandle? Handle => _file?.Handle;

    /// <summary>Reads a part of the region, from <paramref name="at"/> bytes behind its begin. Throws
    /// <see cref="StorageException"/>.</summary>
    public int ReadFile(int at, Span<byte> buffer) =>
        _file!.Read(FileOffset + at, buffer[..Math.Min(buffer.Length, Bytes - at)]);

    /// <summary>As <see cref="ReadFile"/>, without holding the thread.</summary>
    public ValueTask<int> ReadFileAsync(int at, Memory<byte> buffer, CancellationToken cancellation) =>
        _file!.ReadAsync(FileOffset + at, buffer[..Math.Min(buffer.Length, Bytes - at)], cancellation);

    /// <summary>Copies everything, wherever it is. Throws <see cref="StorageException"/>.</summary>
    public void CopyTo(IBufferWriter<byte> target)
    {
        foreach (ReadOnlyMemory<byte> part in _memory)
        {
            target.Write(part.Span);
        }

        for (int at = 0; IsInFile && at < Bytes;)
        {
            Span<byte> span = target.GetSpan(Math.Min(CopyBytes, Bytes - at));
            int read = ReadFile(at, span);
            if (read == 0)
            {
                throw new StorageException($"{_segment!.Path} ends too early: it was cut from outside");
            }

            target.Advance(read);
            at += read;
        }
    }

    /// <summary>Gives back what was borrowed; the object can be used again.</summary>
    public void Reset()
    {
        foreach (HotChunk chunk in _held)
        {
            chunk.Release();
        }

        _held.Clear();
        _memory.Clear();
        Bytes = 0;
        EndOffset = -1;
        if (_segment is { } segment)
        {
            _file = null;
            _segment = null;
            _files!.Release(segment);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Reset();

    /// <summary>Adds a stretch of a chunk. Log's lock.</summary>
    internal void Add(HotChunk chunk, int from, int to)
    {
        chunk.Hold();
        _held.Add(chunk);
        _memory.Add(chunk.Data.AsMemory(from, to - from));
        Bytes += to - from;
    }

    /// <summary>Takes over a hold of a file.</summary>
    internal void SetRegion(PartitionSegment segment, IFile file, OpenFiles files, int position, int bytes)
    {
        _segment = segment;
        _file = file;
        _files = files;
        FileOffset = position;
        Bytes = bytes;
    }
}
