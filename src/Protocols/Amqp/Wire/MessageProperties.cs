namespace Pillarbox.Protocols.Amqp.Wire;

// Part 3 section 3.2.4: <descriptor name="amqp:properties:list" code="0x00000000:0x00000073"/>
//
//  0  message-id             *           requires message-id (ulong, uuid, binary, string)
//  1  user-id                binary
//  2  to                     *           requires address (string)
//  3  subject                string
//  4  reply-to               *           requires address (string)
//  5  correlation-id         *           requires message-id
//  6  content-type           symbol
//  7  content-encoding       symbol
//  8  absolute-expiry-time   timestamp
//  9  creation-time          timestamp
// 10  group-id               string
// 11  group-sequence         sequence-no
// 12  reply-to-group-id      string

/// <summary>
/// The properties section whole, to build messages; <see cref="PropertiesSection"/> looks at single fields.
/// </summary>
[AmqpList(0x73, "amqp:properties:list")]
public sealed partial record MessageProperties
{
    [Field(0)]
    public AmqpValue? MessageId { get; init; }

    [Field(1)]
    public byte[]? UserId { get; init; }

    [Field(2)]
    public string? To { get; init; }

    [Field(3)]
    public string? Subject { get; init; }

    [Field(4)]
    public string? ReplyTo { get; init; }

    [Field(5)]
    public AmqpValue? CorrelationId { get; init; }

    [Field(6, FieldKind.Symbol)]
    public string? ContentType { get; init; }

    [Field(7, FieldKind.Symbol)]
    public string? ContentEncoding { get; init; }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    [Field(8, FieldKind.Timestamp)]
    public long? AbsoluteExpiryTimeMs { get; init; }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    [Field(9, FieldKind.Timestamp)]
    public long? CreationTimeMs { get; init; }

    [Field(10)]
    public string? GroupId { get; init; }

    [Field(11)]
    public uint? GroupSequence { get; init; }

    [Field(12)]
    public string? ReplyToGroupId { get; init; }
}
