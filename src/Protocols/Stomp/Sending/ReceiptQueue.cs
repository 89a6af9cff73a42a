namespace Pillarbox.Protocols.Stomp.Sending;

/// <summary>
/// Receipts that are due when publishes complete, which they do in the order in which they were made. Ids lie in one
/// ring of bytes: nothing is allocated for one. Not thread-safe.
/// </summary>
internal sealed class ReceiptQueue
{
    private const int TagBytes = sizeof(ulong);
    private const int EntryBytesMin = TagBytes + sizeof(int);
    private const int CapacityMin = 1024;

    private byte[] _ring = [];
    private int _head;
    private int _length;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>The receipt of the publish with that tag; tags rise.</summary>
    public void Add(ulong tag, ReadOnlySpan<byte> id)
    {
        int bytes = EntryBytesMin + id.Length;
        if (_ring.Length - _length < bytes)
        {
            Grow(_length + bytes);
        }

        Span<byte> fixedPart = stackalloc byte[EntryBytesMin];
        BitConverter.TryWriteBytes(fixedPart, tag);
        BitConverter.TryWriteBytes(fixedPart[TagBytes..], id.Length);
        Put(fixedPart);
        Put(id);
        Count++;
    }

    /// <summary>Takes the id of the publish with that tag, if it is the oldest here; appends it to
    /// <paramref name="id"/>.</summary>
    public bool TryTake(ulong tag, ref Wire.ByteBuilder id)
    {
        if (Count == 0)
        {
            return false;
        }

        Span<byte> fixedPart = stackalloc byte[EntryBytesMin];
        Get(0, fixedPart);
        if (BitConverter.ToUInt64(fixedPart) != tag)
        {
            return false;
        }

        int length = BitConverter.ToInt32(fixedPart[TagBytes..]);
        for (int i = 0; i < length; i++)
        {
            id.Append(_ring[(_head + EntryBytesMin + i) & (_ring.Length - 1)]);
        }

        _head = (_head + EntryBytesMin + length) & (_ring.Length - 1);
        _length -= EntryBytesMin + length;
        Count--;
        return true;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        int at = (_head + _length) & (_ring.Length - 1);
        int first = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..].CopyTo(_ring);
        _length += bytes.Length;
    }

    private void Get(int from, Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = _ring[(_head + from + i) & (_ring.Length - 1)];
        }
    }

    private void Grow(int need)
    {
        int capacity = Math.Max(CapacityMin, _ring.Length * 2);
        while (capacity < need)
        {
            capacity *= 2;
        }

        byte[] larger = new byte[capacity];
        Get(0, larger.AsSpan(0, _length));
        (_ring, _head) = (larger, 0);
    }
}
