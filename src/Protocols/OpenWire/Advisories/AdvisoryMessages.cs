using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>Advisories as the messages that clients get.</summary>
internal static class AdvisoryMessages
{
    private static readonly ProducerId Node = new() { Connection = "ID:pillarbox-advisories", Session = -1, Value = 1 };

    /// <summary>The message of one advisory; it is numbered when it is sent.</summary>
    public static Message ToMessage(in Advisory advisory, string brokerName, long nowMs)
    {
        string? counted = CountedBy(advisory.Command);
        var properties = new PrimitiveWriter();
        properties.WriteCount(counted is null ? 2 : 3);
        properties.Write("originBrokerId", brokerName);
        properties.Write("originBrokerName", brokerName);
        if (counted is not null)
        {
            properties.Write(counted, advisory.Count);
        }

        Destination topic = Destination.Topic(advisory.Topic);
        return new Message(DataType.Message)
        {
            ProducerId = Node,
            MessageId = new MessageId { Producer = Node },
            Destination = topic,
            JmsType = WireText.From("Advisory"),
            Timestamp = nowMs,
            DataStructure = advisory.Command,
            MarshalledProperties = properties.ToArray(),
        };
    }

    private static string? CountedBy(Command command) => command switch
    {
        ConsumerInfo or RemoveInfo { ObjectId: ConsumerId } => "consumerCount",
        ProducerInfo or RemoveInfo { ObjectId: ProducerId } => "producerCount",
        _ => null,
    };
}
