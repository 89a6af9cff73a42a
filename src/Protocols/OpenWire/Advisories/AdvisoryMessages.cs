using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>Advisories as the messages that clients get.</summary>
internal static class AdvisoryMessages
{
    private static readonly ProducerId Node = new() { Connection = "ID:pillarbox-advisories", Session = -1, Value = 1 };

    /// <summary>The message of one advisory; <paramref name="sequence"/> is unique on the connection.</summary>
    public static Message ToMessage(in Advisory advisory, string brokerName, long sequence, long nowMs)
    {
        bool counts = advisory.Command is ConsumerInfo or RemoveInfo { ObjectId: ConsumerId };
        var properties = new PrimitiveWriter();
        properties.WriteCount(counts ? 3 : 2);
        properties.Write("originBrokerId", brokerName);
        properties.Write("originBrokerName", brokerName);
        if (counts)
        {
            properties.Write("consumerCount", advisory.Count);
        }

        Destination topic = Destination.Topic(advisory.Topic);
        return new Message(DataType.Message)
        {
            ProducerId = Node,
            MessageId = new MessageId { Producer = Node, ProducerSequence = sequence, BrokerSequence = sequence },
            Destination = topic,
            JmsType = WireText.From("Advisory"),
            Timestamp = nowMs,
            DataStructure = advisory.Command,
            MarshalledProperties = properties.ToArray(),
        };
    }
}
