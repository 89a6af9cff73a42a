using System.Buffers.Binary;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>The bits in front of a tightly encoded command, lowest bit first.</summary>
internal sealed class BitBuffer
{
    private const int ShortMax = 63;
    private byte[] _bytes = new byte[16];
    private int _count;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, (_count + 7) >> 3);

    /// <summary>Bytes that tell the number of bytes.</summary>
    public int HeaderBytes => Bytes.Length switch { <= ShortMax => 1, <= byte.MaxValue => 2, _ => 3 };

    public void Clear()
    {
        Array.Clear(_bytes, 0, Bytes.Length);
        _count = 0;
    }

    public void Add(bool bit)
    {
        if (_count >> 3 == _bytes.Length)
        {
            Array.Resize(ref _bytes, _bytes.Length * 2);
        }

        if (bit)
        {
            _bytes[_count >> 3] |= (byte)(1 << (_count & 7));
        }

        _count++;
    }

    /// <summary>Writes the header and the bits.</summary>
    public void CopyTo(Span<byte> to)
    {
        int length = Bytes.Length;
        switch (HeaderBytes)
        {
            case 1:
                to[0] = (byte)length;
                break;
            case 2:
                to[0] = 0xC0;
                to[1] = (byte)length;
                break;
            default:
                to[0] = 0x80;
                BinaryPrimitives.WriteInt16BigEndian(to[1..], (short)length);
                break;
        }

        Bytes.CopyTo(to[HeaderBytes..]);
    }
}
