namespace Pillarbox.Storage;

/// <summary>A record that was read, and the hold on the memory it lies in. Dispose exactly once; the bytes are gone
/// afterwards.</summary>
public struct LogLease : IDisposable
{
    private readonly LogBlock? block;
    private readonly int offset;

    internal LogLease(LogBlock block, int offset, int length, byte type, long position)
    {
        this.block = block;
        this.offset = offset;
        Length = length;
        Type = type;
        Position = position;
    }

    /// <summary>Where the record begins in the log.</summary>
    public long Position { get; }

    /// <summary>What the writer called it.</summary>
    public byte Type { get; }

    /// <summary>Bytes of payload.</summary>
    public int Length { get; }

    /// <summary>The payload.</summary>
    public readonly ReadOnlySpan<byte> Span => block is null ? default : block.Data.AsSpan(offset, Length);

    /// <summary>The payload.</summary>
    public readonly ReadOnlyMemory<byte> Memory => block is null ? default : block.Data.AsMemory(offset, Length);

    /// <summary>Lets go of the memory.</summary>
    public void Dispose()
    {
        LogBlock? held = block;
        this = default;
        held?.Release();
    }
}
