using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Load.RabbitStreams;

/// <summary>Writes one frame: <c>u32 size | u16 key | u16 version | the command's fields</c>, all big-endian. One
/// owner.</summary>
internal sealed class FrameBuilder
{
    private byte[] _bytes = new byte[256];
    private int _length;

    public FrameBuilder(ushort key)
    {
        _length = sizeof(uint);
        U16(key);
        U16(1);
    }

    public FrameBuilder U8(byte value)
    {
        Room(1)[0] = value;
        return this;
    }

    public FrameBuilder U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Room(sizeof(ushort)), value);
        return this;
    }

    public FrameBuilder U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Room(sizeof(uint)), value);
        return this;
    }

    public FrameBuilder U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Room(sizeof(ulong)), value);
        return this;
    }

    /// <summary>A text: its length in two bytes, then UTF-8.</summary>
    public FrameBuilder Text(string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        U16((ushort)bytes.Length);
        bytes.CopyTo(Room(bytes.Length));
        return this;
    }

    /// <summary>Bytes: their length in four bytes, then they themselves.</summary>
    public FrameBuilder Bytes(ReadOnlySpan<byte> value)
    {
        U32((uint)value.Length);
        value.CopyTo(Room(value.Length));
        return this;
    }

    /// <summary>The frame, with its size put in.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        BinaryPrimitives.WriteUInt32BigEndian(_bytes, (uint)(_length - sizeof(uint)));
        return _bytes.AsSpan(0, _length);
    }

    private Span<byte> Room(int bytes)
    {
        if (_length + bytes > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes));
        }

        _length += bytes;
        return _bytes.AsSpan(_length - bytes, bytes);
    }
}
