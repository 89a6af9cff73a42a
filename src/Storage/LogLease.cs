namespace Pillarbox.Storage;

/// <summary>A record that was read, and the hold on the memory it lies in. Dispose exactly once; the bytes are gone
/// afterwards.</summary>
public struct LogLease : IDisposable
{
    private readonly LogBlock? _block;
    private readonly int _offset;

    internal LogLease(LogBlock block, int offset, int length, byte type, long position)
    {
        _block = block;
        _offset = offset;
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
    public readonly ReadOnlySpan<byte> Span => _block is null ? default : _block.Data.AsSpan(_offset, Length);

    /// <summary>The payload.</summary>
    public readonly ReadOnlyMemory<byte> Memory => _block is null ? default : _block.Data.AsMemory(_offset, Length);

    /// <summary>Lets go of the memory.</summary>
    public void Dispose()
    {
        LogBlock? held = _block;
        this = default;
        held?.Release();
    }
}
