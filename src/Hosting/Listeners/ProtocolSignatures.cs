using System.Buffers.Binary;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// How each protocol begins. Pure; no two protocols say yes to the same bytes, and each says yes or no within
/// <see cref="BytesMax"/> bytes.
/// </summary>
internal static class ProtocolSignatures
{
    /// <summary>Most bytes that are looked at.</summary>
    public const int BytesMax = 32;

    /// <summary>Ends of line that a STOMP client may send before its first frame.</summary>
    private const int BlankBytesMax = 16;

    /// <summary>Largest first request that is taken for one of Kafka's, in bytes. MQTT's first byte, read as the
    /// first of a length, is far beyond it.</summary>
    private const int KafkaRequestBytesMax = 64 << 20;
    private const int KafkaApiKeysMax = 128;
    private const int KafkaVersionsMax = 32;

    private static readonly byte[][] HttpMethods =
    [
        [.. "GET "u8], [.. "HEAD "u8], [.. "POST "u8], [.. "PUT "u8], [.. "DELETE "u8], [.. "OPTIONS "u8],
        [.. "PATCH "u8], [.. "TRACE "u8], [.. "CONNECT "u8],
    ];

    /// <summary>Whether a connection that began with these bytes speaks the protocol.</summary>
    public static Recognition Look(ListenerProtocol protocol, ReadOnlySpan<byte> first) => protocol switch
    {
        ListenerProtocol.Amqp => Begins(first, "AMQP"u8),
        ListenerProtocol.Kafka => Kafka(first),
        ListenerProtocol.Mqtt => Mqtt(first),
        ListenerProtocol.Stomp => Stomp(first),
        ListenerProtocol.OpenWire => OpenWire(first),
        ListenerProtocol.Http => Http(first),
        _ => Recognition.No,
    };

    private static Recognition Begins(ReadOnlySpan<byte> first, ReadOnlySpan<byte> with) =>
        first.Length >= with.Length
            ? first.StartsWith(with) ? Recognition.Yes : Recognition.No
            : with.StartsWith(first) ? Recognition.NotYet : Recognition.No;

    private static Recognition Either(Recognition one, Recognition other) =>
        one == Recognition.Yes || other == Recognition.Yes ? Recognition.Yes
        : one == Recognition.NotYet || other == Recognition.NotYet ? Recognition.NotYet
        : Recognition.No;

    /// <summary>A request line: a method and a space (RFC 9112 section 3).</summary>
    private static Recognition Http(ReadOnlySpan<byte> first)
    {
        var found = Recognition.No;
        foreach (byte[] method in HttpMethods)
        {
            found = Either(found, Begins(first, method));
        }

        return found;
    }

    /// <summary>The first frame's command and its end of line, which HTTP's CONNECT lacks.</summary>
    private static Recognition Stomp(ReadOnlySpan<byte> first)
    {
        int blank = 0;
        while (blank < first.Length && blank < BlankBytesMax && first[blank] is (byte)'\n' or (byte)'\r')
        {
            blank++;
        }

        ReadOnlySpan<byte> rest = first[blank..];
        Recognition connect = Either(Begins(rest, "CONNECT\n"u8), Begins(rest, "CONNECT\r\n"u8));
        return Either(connect, Either(Begins(rest, "STOMP\n"u8), Begins(rest, "STOMP\r\n"u8)));
    }

    /// <summary>
    /// A CONNECT packet: type 1 without flags, a remaining length of one to four bytes, a protocol name (MQTT 3.1.1
    /// section 3.1).
    /// </summary>
    private static Recognition Mqtt(ReadOnlySpan<byte> first)
    {
        if (first.IsEmpty)
        {
            return Recognition.NotYet;
        }

        if (first[0] != 0x10)
        {
            return Recognition.No;
        }

        int at = 1;
        while (at < first.Length && (first[at] & 0x80) != 0)
        {
            at++;
        }

        if (at > 4)
        {
            return Recognition.No;
        }

        ReadOnlySpan<byte> name = at < first.Length ? first[(at + 1)..] : [];
        return Either(Begins(name, "\0\u0004MQTT"u8), Begins(name, "\0\u0006MQIsdp"u8));
    }

    /// <summary>A WireFormatInfo command: its type and the word that follows it, after a size or without.</summary>
    private static Recognition OpenWire(ReadOnlySpan<byte> first)
    {
        ReadOnlySpan<byte> magic = "\u0001ActiveMQ"u8;
        Recognition bare = Begins(first, magic);
        if (first.Length <= 4)
        {
            return first.IsEmpty || first[0] == 0 || bare != Recognition.No ? Recognition.NotYet : Recognition.No;
        }

        return first[0] == 0 ? Begins(first[4..], magic) : bare;
    }

    /// <summary>A request: its size, an API key and a version that exist or soon may.</summary>
    private static Recognition Kafka(ReadOnlySpan<byte> first)
    {
        if (first.Length < 8)
        {
            bool possible = (first.Length < 1 || first[0] <= KafkaRequestBytesMax >> 24)
                && (first.Length < 5 || first[4] == 0) && (first.Length < 6 || first[5] < KafkaApiKeysMax)
                && (first.Length < 7 || first[6] == 0);
            return possible ? Recognition.NotYet : Recognition.No;
        }

        bool good = BinaryPrimitives.ReadInt32BigEndian(first) is >= 8 and <= KafkaRequestBytesMax
            && BinaryPrimitives.ReadUInt16BigEndian(first[4..]) < KafkaApiKeysMax
            && BinaryPrimitives.ReadUInt16BigEndian(first[6..]) < KafkaVersionsMax;
        return good ? Recognition.Yes : Recognition.No;
    }
}
