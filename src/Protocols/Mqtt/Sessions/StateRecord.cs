using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>What a record in a session's state queue is about. Values are on disk.</summary>
internal enum StateKind : byte
{
    /// <summary>A subscription; its key is the text of the filter.</summary>
    Subscription = 1,

    /// <summary>A packet identifier of QoS 2 that the client may not use anew: its message is stored.</summary>
    Incoming = 2,

    /// <summary>A packet identifier of QoS 2 that the client was asked to release, as older programs kept it: its
    /// message is gone. Only read.</summary>
    Released = 3,

    /// <summary>A packet identifier of QoS 2 under which a message is sent to the client, until it has released it.
    /// </summary>
    Sent = 4,
}

/// <summary>
/// One thing that a session must not forget (MQTT 5.0 §4.1), as its message in the state queue holds it, a view:
/// <code>
/// byte    kind
/// varint  generation       of two with the same key the later one counts
/// u16     packet identifier, or for a subscription: byte options, varint identifier, text filter
/// i64 i64 queue and message, of one that is sent
/// </code>
/// </summary>
internal readonly ref struct StateRecord
{
    /// <summary>Bytes of one besides a filter.</summary>
    public const int BytesMax = 32;

    public StateKind Kind { get; init; }

    public int Generation { get; init; }

    public ushort PacketId { get; init; }

    public MessageKey Message { get; init; }

    public SubscriptionOptions Options { get; init; }

    public int SubscriptionId { get; init; }

    public ReadOnlySpan<byte> Filter { get; init; }

    /// <summary>Reads one; false when the bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out StateRecord record)
    {
        record = default;
        try
        {
            var from = new MqttReader(bytes);
            var kind = (StateKind)from.Byte();
            int generation = from.VarInt();
            if (kind is StateKind.Incoming or StateKind.Released or StateKind.Sent)
            {
                record = new StateRecord
                {
                    Kind = kind == StateKind.Released ? StateKind.Sent : kind,
                    Generation = generation,
                    PacketId = from.UInt16(),
                    Message = kind == StateKind.Sent ? new MessageKey(Int64(ref from), Int64(ref from)) : default,
                };
                return true;
            }

            if (kind != StateKind.Subscription)
            {
                return false;
            }

            record = new StateRecord
            {
                Kind = kind,
                Generation = generation,
                Options = new SubscriptionOptions(from.Byte()),
                SubscriptionId = from.VarInt(),
                Filter = from.Text(),
            };
            return true;
        }
        catch (MqttException)
        {
            // Not written by this program.
            return false;
        }
    }

    /// <summary>Writes it; returns its length.</summary>
    public int Write(Span<byte> output)
    {
        var to = new MqttWriter(output);
        to.Byte((byte)Kind);
        to.VarInt(Generation);
        if (Kind == StateKind.Subscription)
        {
            to.Byte(Options.Bits);
            to.VarInt(SubscriptionId);
            to.Binary(Filter);
        }
        else
        {
            to.UInt16(PacketId);
            if (Kind == StateKind.Sent)
            {
                Int64(ref to, Message.QueueNumber);
                Int64(ref to, Message.MessageId);
            }
        }

        return to.Count;
    }

    private static long Int64(ref MqttReader from) => ((long)from.UInt32() << 32) | from.UInt32();

    private static void Int64(ref MqttWriter to, long value)
    {
        to.UInt32((uint)(value >> 32));
        to.UInt32((uint)value);
    }
}
