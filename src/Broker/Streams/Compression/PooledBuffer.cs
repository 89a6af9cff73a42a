using System.Buffers;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>Bytes that grow in memory borrowed from the pool, up to a limit. One owner; dispose it to give the memory
/// back.</summary>
public sealed class PooledBuffer(int bytesMax = int.MaxValue) : IBufferWriter<byte>, IDisposable
{
    private byte[] _bytes = [];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; valid until more is.</summary>
    public ReadOnlySpan<byte> WrittenSpan => _bytes.AsSpan(0, Length);

    /// <summary>What was written; valid until more is.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    /// <summary>What was written, to be changed.</summary>
    public Span<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Room for so many bytes more; false when that is above the limit.</summary>
    public bool TryReserve(int bytes)
    {
        long needed = (long)Length + bytes;
        if (needed > bytesMax)
        {
            return false;
        }

        if (needed > _bytes.Length)
        {
            Grow(needed);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    /// <summary>Forgets what was written behind so many bytes.</summary>
    public void Cut(int length) => Length = Math.Min(Length, length);

    /// <summary>Forgets what was written, keeps the memory.</summary>
    public void Clear() => Length = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }

        Length = 0;
    }

    private void Reserve(int sizeHint)
    {
        if (_bytes.Length - Length < Math.Max(1, sizeHint) && !TryReserve(Math.Max(1, sizeHint)))
        {
            throw new InvalidOperationException($"more than {bytesMax} bytes");
        }
    }

    private void Grow(long needed)
    {
        int wanted = (int)Math.Min(int.MaxValue - 64, Math.Max(needed, _bytes.Length * 2L));
        byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
        _bytes.AsSpan(0, Length).CopyTo(larger);
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = larger;
    }
}
