namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>Bytes that are put together in an array that is kept for the next time. Not thread-safe.</summary>
internal struct ByteBuilder
{
    private const int CapacityMin = 512;

    private byte[]? _bytes;

    /// <summary>How many there are.</summary>
    public int Length { get; private set; }

    /// <summary>What there is; valid until the next change.</summary>
    public readonly ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>The same, to be held.</summary>
    public readonly ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    /// <summary>Begins anew; the array stays, unless it has grown beyond <paramref name="keptBytesMax"/>.</summary>
    public void Clear(int keptBytesMax = int.MaxValue)
    {
        Length = 0;
        if (_bytes?.Length > keptBytesMax)
        {
            _bytes = null;
        }
    }

    /// <summary>Takes away what stands behind so many.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Changes one that is there.</summary>
    public readonly void Set(int index, byte value) => _bytes![index] = value;

    public void Append(byte one)
    {
        Room(1)[0] = one;
        Length++;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Length += bytes.Length;
    }

    public void Append(string text)
    {
        Span<byte> room = Room(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        Length += System.Text.Encoding.UTF8.GetBytes(text, room);
    }

    public void Append(long number)
    {
        number.TryFormat(Room(20), out int written, default, System.Globalization.CultureInfo.InvariantCulture);
        Length += written;
    }

    private Span<byte> Room(int count)
    {
        if (_bytes is null || _bytes.Length - Length < count)
        {
            int capacity = Math.Max(Math.Max(CapacityMin, Length + count), (_bytes?.Length ?? 0) * 2);
            Array.Resize(ref _bytes, capacity);
        }

        return _bytes.AsSpan(Length);
    }
}
