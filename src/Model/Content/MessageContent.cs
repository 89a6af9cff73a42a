namespace Pillarbox.Model.Content;

/// <summary>What a message's body is.</summary>
public enum BodyForm : byte
{
    /// <summary>There is none.</summary>
    None = 0,

    /// <summary>Bytes (AMQP data, JMS bytes, an MQTT or STOMP or Kafka payload of no known text type).</summary>
    Binary,

    /// <summary>Text, held as UTF-8 (AMQP value of type string, JMS text).</summary>
    Text,

    /// <summary>A single value that is neither text nor a map or list of values (AMQP value).</summary>
    Value,

    /// <summary>Values by name (JMS map, AMQP value of type map).</summary>
    Map,

    /// <summary>Values in order (JMS stream, AMQP sequence or value of type list).</summary>
    List,

    /// <summary>A serialized Java object: inert bytes that are handed on and never read (JMS object).</summary>
    Object,
}

/// <summary>
/// A message in no protocol's encoding: what all protocols can say of one, for conversions from one payload format to
/// another. Each protocol has one <see cref="IContentMap"/> that reads its payloads to this and writes them from this.
/// What the broker's <see cref="MessageHeader"/> holds (durability, priority, expiry, delivery count) is not repeated
/// here. Owned by one conversion; byte memory may point into the payload that it was read from.
/// </summary>
public sealed class MessageContent
{
    /// <summary>The producer's identifier of the message.</summary>
    public ContentValue MessageId { get; set; }

    /// <summary>What it answers or belongs to: String, Binary, UInt64 or Uuid.</summary>
    public ContentValue CorrelationId { get; set; }

    /// <summary>The address that the producer wrote into the message itself, without a protocol's prefixes.</summary>
    public string? To { get; set; }

    /// <summary>Where answers are wanted: a Pillarbox address.</summary>
    public string? ReplyTo { get; set; }

    /// <summary>Whether <see cref="ReplyTo"/> is a queue's or a topic's address; null: it was not said.</summary>
    public RoutingType? ReplyToRouting { get; set; }

    /// <summary>Whether <see cref="ReplyTo"/> goes with the connection of whoever waits there.</summary>
    public bool ReplyToIsTemporary { get; set; }

    /// <summary>What it is about (AMQP subject, JMS type, an MQTT or STOMP header of that name).</summary>
    public string? Subject { get; set; }

    /// <summary>The media type of the body.</summary>
    public string? ContentType { get; set; }

    /// <summary>The encoding of the body, e.g. <c>gzip</c>; the body is handed on as it is encoded.</summary>
    public string? ContentEncoding { get; set; }

    /// <summary>Who the producer says that it is. Never trusted.</summary>
    public ReadOnlyMemory<byte> UserId { get; set; }

    /// <summary>A number for the client that published it; 0: it is not said.</summary>
    public ulong Publisher { get; set; }

    /// <summary>The group (JMSXGroupID); also the partition key when there is no other.</summary>
    public string? GroupId { get; set; }

    /// <summary>The position in the group.</summary>
    public uint? GroupSequence { get; set; }

    /// <summary>The group of answers.</summary>
    public string? ReplyToGroupId { get; set; }

    /// <summary>When the producer made it, in milliseconds since the Unix epoch.</summary>
    public long? CreatedAtMs { get; set; }

    /// <summary>The partition key (a Kafka record's key, the annotation <c>x-opt-partition-key</c>); null:
    /// none.</summary>
    public ReadOnlyMemory<byte>? Key { get; set; }

    /// <summary>The application's properties, in order; names may repeat where the protocol allows it.</summary>
    public List<KeyValuePair<string, ContentValue>> Properties { get; } = [];

    /// <summary>Annotations for infrastructure, by their AMQP names (<c>x-opt-…</c>), in order.</summary>
    public List<KeyValuePair<string, ContentValue>> Annotations { get; } = [];

    /// <summary>What the body is.</summary>
    public BodyForm Form { get; set; }

    /// <summary>The body's bytes: of Text in UTF-8, of Binary and Object as they are.</summary>
    public ReadOnlyMemory<byte> Bytes { get; set; }

    /// <summary>The body's value when <see cref="Form"/> is Value, Map or List.</summary>
    public ContentValue Value { get; set; }

    /// <summary>The first application property of that name; Null when there is none.</summary>
    public ContentValue Property(string name)
    {
        foreach (KeyValuePair<string, ContentValue> property in Properties)
        {
            if (property.Key == name)
            {
                return property.Value;
            }
        }

        return ContentValue.Null;
    }

    /// <summary>Adds an application property.</summary>
    public void AddProperty(string name, ContentValue value) => Properties.Add(new(name, value));

    /// <summary>Adds an annotation.</summary>
    public void AddAnnotation(string name, ContentValue value) => Annotations.Add(new(name, value));
}
