using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// The fixed header (MQTT 5.0 §2.1):
/// <code>
/// bits 7..4  packet type        1 to 15
/// bits 3..0  flags              of PUBLISH: DUP, QoS (2), RETAIN; of PUBREL, SUBSCRIBE, UNSUBSCRIBE: 0010; else 0000
/// 1..4 bytes remaining length   variable byte integer, counts what follows
/// </code>
/// </summary>
internal readonly record struct FixedHeader(PacketType Type, byte Flags, int Length, int HeaderBytes)
{
    /// <summary>The most bytes that a fixed header has.</summary>
    public const int BytesMax = 5;

    /// <summary>Bytes of the whole packet.</summary>
    public int PacketBytes => HeaderBytes + Length;

    /// <summary>False: more bytes are needed. A length above <paramref name="packetBytesMax"/> is an error at once
    /// (§3.1.2.11.4).</summary>
    public static bool TryRead(in ReadOnlySequence<byte> input, int packetBytesMax, out FixedHeader header)
    {
        if (input.FirstSpan.Length >= BytesMax || input.IsSingleSegment)
        {
            return TryRead(input.FirstSpan, packetBytesMax, out header);
        }

        Span<byte> copy = stackalloc byte[BytesMax];
        int count = (int)Math.Min(input.Length, BytesMax);
        input.Slice(0, count).CopyTo(copy);
        return TryRead(copy[..count], packetBytesMax, out header);
    }

    /// <inheritdoc cref="TryRead(in ReadOnlySequence{byte}, int, out FixedHeader)"/>
    public static bool TryRead(ReadOnlySpan<byte> input, int packetBytesMax, out FixedHeader header)
    {
        header = default;
        if (input.Length < 2)
        {
            if (input.Length == 1)
            {
                CheckFirst(input[0]);
            }

            return false;
        }

        CheckFirst(input[0]);
        int length = 0;
        for (int i = 1; i < BytesMax; i++)
        {
            if (i >= input.Length)
            {
                return false;
            }

            length |= (input[i] & 0x7F) << (7 * (i - 1));
            if (input[i] < 0x80)
            {
                header = new FixedHeader((PacketType)(input[0] >> 4), (byte)(input[0] & 0x0F), length, i + 1);
                Check(header, input[i] == 0 && i > 1, packetBytesMax);
                return true;
            }
        }

        MqttException.Malformed("the remaining length has more than four bytes");
        return false;
    }

    /// <summary>What 3.1 alone allows, DUP on packets other than PUBLISH, is an error since 3.1.1 (§2.1.3).</summary>
    public void CheckSince311()
    {
        if (Type != PacketType.Publish && (Flags & 8) != 0)
        {
            MqttException.Malformed($"the flags of {Type} are not as specified");
        }
    }

    /// <summary>Bytes of the fixed header of a packet with so many bytes behind it.</summary>
    public static int BytesFor(int length) => 1 + MqttWriter.VarIntBytes(length);

    private static void CheckFirst(byte first)
    {
        var type = (PacketType)(first >> 4);
        int flags = first & 0x0F;
        int expected = type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0;
        if (type == 0)
        {
            MqttException.Malformed("packet type 0 is reserved");
        }

        // MQTT 3.1 lets DUP be set on packets other than PUBLISH; clients of that age do so. See CheckSince311.
        if (type != PacketType.Publish && (flags & ~8) != expected)
        {
            MqttException.Malformed($"the flags of {type} are not as specified");
        }
    }

    private static void Check(in FixedHeader header, bool isLonger, int packetBytesMax)
    {
        if (isLonger)
        {
            MqttException.Malformed("the remaining length is longer than it need be");
        }

        if (header.PacketBytes > packetBytesMax)
        {
            throw new MqttException(ReasonCode.PacketTooLarge,
                $"the packet has {header.PacketBytes} bytes; at most {packetBytesMax} are taken");
        }
    }
}
