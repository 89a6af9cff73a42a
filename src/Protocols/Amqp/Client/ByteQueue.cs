using System.Buffers;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>
/// Bytes in order in one growing array: written at the end, taken from the front. It keeps its array, so that it
/// allocates nothing once it has grown to what its user needs. One thread at a time.
/// </summary>
public sealed class ByteQueue : IBufferWriter<byte>
{
    private byte[] _bytes;
    private int _start;
    private int _end;

    /// <param name="capacityBytes">What it holds before it grows.</param>
    public ByteQueue(int capacityBytes = 16 * 1024) => _bytes = new byte[capacityBytes];

    /// <summary>How many bytes wait.</summary>
    public int Count => _end - _start;

    /// <summary>The bytes that wait; valid until the next write.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(_start, _end - _start);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        _end += bytes.Length;
    }

    /// <summary>Forgets bytes at the front.</summary>
    public void Take(int count)
    {
        _start += count;
        if (_start == _end)
        {
            _start = _end = 0;
        }
    }

    /// <inheritdoc/>
    public void Advance(int count) => _end += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_end);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(_end);
    }

    private void MakeRoom(int count)
    {
        if (_bytes.Length - _end >= count)
        {
            return;
        }
        int length = Count;
        byte[] target = length + count > _bytes.Length / 2 ? new byte[checked((length + count) * 2)] : _bytes;
        Bytes.CopyTo(target);
        (_bytes, _start, _end) = (target, 0, length);
    }
}
