using System.Buffers;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>The protocol id of a protocol header (part 2 section 2.2, part 5 sections 5.2.1 and 5.3.2).</summary>
public enum ProtocolId : byte
{
    Amqp = 0,
    Tls = 2,
    Sasl = 3,
}

/// <summary>What the bytes so far say about a protocol header.</summary>
public enum HeaderMatch
{
    /// <summary>They may become one.</summary>
    NeedMore,

    /// <summary>
    /// Eight bytes that begin with "AMQP" were taken; their id and version are for the caller to judge.
    /// </summary>
    Found,

    /// <summary>They do not begin with "AMQP".</summary>
    Foreign,
}

// Part 2 section 2.2:
//
//    4 OCTETS   1 OCTET   1 OCTET   1 OCTET   1 OCTET
//  +----------+---------+---------+---------+----------+
//  |  "AMQP"  |   %d0   |  major  |  minor  | revision |
//  +----------+---------+---------+---------+----------+

/// <summary>The eight bytes that start a layer of the protocol: the id and the version 1.0.0.</summary>
public readonly record struct ProtocolHeader(ProtocolId Id, byte Major, byte Minor, byte Revision)
{
    public const int Bytes = 8;

    public ProtocolHeader(ProtocolId id)
        : this(id, 1, 0, 0)
    {
    }

    public static ReadOnlySpan<byte> Amqp => "AMQP\0\u0001\0\0"u8;

    public static ReadOnlySpan<byte> Tls => "AMQP\u0002\u0001\0\0"u8;

    public static ReadOnlySpan<byte> Sasl => "AMQP\u0003\u0001\0\0"u8;

    /// <summary>One of the three protocols in version 1.0.0.</summary>
    public bool IsSupported => Major == 1 && Minor == 0 && Revision == 0
        && Id is ProtocolId.Amqp or ProtocolId.Tls or ProtocolId.Sasl;

    /// <summary>Takes a header off <paramref name="input"/>, however the bytes are split. Foreign bytes stay.</summary>
    public static HeaderMatch TryRead(ref ReadOnlySequence<byte> input, out ProtocolHeader header)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        int there = (int)Math.Min(Bytes, input.Length);
        input.Slice(0, there).CopyTo(bytes);
        header = default;
        int magic = Math.Min(4, there);
        if (!bytes[..magic].SequenceEqual("AMQP"u8[..magic]))
        {
            return HeaderMatch.Foreign;
        }
        if (there < Bytes)
        {
            return HeaderMatch.NeedMore;
        }
        header = new ProtocolHeader((ProtocolId)bytes[4], bytes[5], bytes[6], bytes[7]);
        input = input.Slice(Bytes);
        return HeaderMatch.Found;
    }

    public void Write(IBufferWriter<byte> output)
    {
        Span<byte> span = output.GetSpan(Bytes);
        "AMQP"u8.CopyTo(span);
        span[4] = (byte)Id;
        span[5] = Major;
        span[6] = Minor;
        span[7] = Revision;
        output.Advance(Bytes);
    }
}
