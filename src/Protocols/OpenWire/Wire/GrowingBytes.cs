namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>Bytes that grow; after a large message the room is given back.</summary>
internal sealed class GrowingBytes
{
    private const int KeptMax = 64 << 10;
    private byte[] _bytes = new byte[512];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > KeptMax)
        {
            _bytes = new byte[512];
        }
    }

    public void Add(byte value) => Take(1)[0] = value;

    /// <summary>Room for so many more bytes, which count as written.</summary>
    public Span<byte> Take(int length)
    {
        if (_bytes.Length - Length < length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + length));
        }

        Span<byte> taken = _bytes.AsSpan(Length, length);
        Length += length;
        return taken;
    }
}
