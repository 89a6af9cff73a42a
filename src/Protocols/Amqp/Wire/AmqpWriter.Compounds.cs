using System.Buffers.Binary;

namespace Pillarbox.Protocols.Amqp.Wire;

public ref partial struct AmqpWriter
{
    // Code, one byte of size, one byte of count; moved up by WideHeaderBytes - SmallHeaderBytes when that is too small.
    private const int SmallHeaderBytes = 3;
    private const int WideHeaderBytes = 9;

    /// <summary>Writes 0x00 and a numeric descriptor; the described value is to be written next.</summary>
    public void WriteDescriptor(ulong code)
    {
        if (code <= byte.MaxValue)
        {
            Span<byte> span = Take(3);
            span[2] = (byte)code;
            span[1] = FormatCode.SmallULong;
            span[0] = FormatCode.Described;
            return;
        }
        Put(FormatCode.Described);
        WriteULong(code);
    }

    /// <summary>Starts a list, map or array; returns the mark for its end.</summary>
    public int BeginCompound()
    {
        int mark = _position;
        Take(SmallHeaderBytes);
        return mark;
    }

    /// <summary>Ends a list of <paramref name="count"/> items: list0, list8 or list32, whichever is smallest.</summary>
    public void EndList(int mark, int count)
    {
        if (count == 0)
        {
            _position = mark;
            Put(FormatCode.List0);
            return;
        }
        EndCompound(mark, count, FormatCode.List8);
    }

    /// <summary>Ends a list whose bytes from <paramref name="end"/> on are nulls, which are left out.</summary>
    public void EndList(int mark, int count, int end)
    {
        _position = end;
        EndList(mark, count);
    }

    /// <summary>Ends a map.</summary>
    /// <param name="mark">What <see cref="BeginCompound"/> gave.</param>
    /// <param name="count">Keys plus values.</param>
    public void EndMap(int mark, int count) => EndCompound(mark, count, FormatCode.Map8);

    /// <summary>Ends an array; after <see cref="BeginCompound"/> its constructor and elements were written.</summary>
    public void EndArray(int mark, int count) => EndCompound(mark, count, FormatCode.Array8);

    /// <summary>
    /// A field with multiple="true" (part 1 section 1.4): one symbol as itself, for some peers look at nothing else;
    /// more as an array.
    /// </summary>
    public void WriteSymbols(scoped ReadOnlySpan<string> symbols)
    {
        if (symbols.Length == 1)
        {
            WriteSymbol(symbols[0]);
            return;
        }

        int mark = BeginCompound();
        bool wide = false;
        foreach (string symbol in symbols)
        {
            wide |= symbol.Length > byte.MaxValue;
        }
        Put(wide ? FormatCode.Symbol32 : FormatCode.Symbol8);
        foreach (string symbol in symbols)
        {
            PutLength(symbol.Length, wide);
            PutAscii(symbol);
        }
        EndArray(mark, symbols.Length);
    }

    /// <summary>
    /// Starts a frame (part 2 section 2.3): eight bytes of header whose size is patched in by <see cref="EndFrame"/>.
    /// </summary>
    public int BeginFrame(FrameType type, ushort channel)
    {
        int mark = _position;
        Span<byte> span = Take(FrameHeader.Bytes);
        span[4] = FrameHeader.DataOffsetMin;
        span[5] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(span[6..], channel);
        return mark;
    }

    /// <summary>Ends a frame.</summary>
    /// <param name="mark">What <see cref="BeginFrame"/> gave.</param>
    /// <param name="payloadBytes">Bytes of the frame that somebody will write after <see cref="Commit"/>.</param>
    public readonly void EndFrame(int mark, int payloadBytes = 0) =>
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[mark..], checked((uint)(_position - mark + payloadBytes)));

    /// <summary>
    /// Takes back what was written after <paramref name="mark"/> (an earlier <see cref="Position"/>).
    /// </summary>
    public void Rewind(int mark) => _position = Math.Min(mark, _position);

    private void PutLength(int length, bool wide)
    {
        if (wide)
        {
            BinaryPrimitives.WriteInt32BigEndian(Take(4), length);
        }
        else
        {
            Put((byte)length);
        }
    }

    private void EndCompound(int mark, int count, byte smallCode)
    {
        int contentBytes = _position - mark - SmallHeaderBytes;
        if (contentBytes < byte.MaxValue && count <= byte.MaxValue)
        {
            Span<byte> small = _buffer.Slice(mark, SmallHeaderBytes);
            small[0] = smallCode;
            small[1] = (byte)(contentBytes + 1);
            small[2] = (byte)count;
            return;
        }
        Take(WideHeaderBytes - SmallHeaderBytes);
        _buffer.Slice(mark + SmallHeaderBytes, contentBytes).CopyTo(_buffer[(mark + WideHeaderBytes)..]);
        Span<byte> wide = _buffer.Slice(mark, WideHeaderBytes);
        wide[0] = (byte)(smallCode + 0x10);
        BinaryPrimitives.WriteInt32BigEndian(wide[1..], contentBytes + 4);
        BinaryPrimitives.WriteInt32BigEndian(wide[5..], count);
    }
}
