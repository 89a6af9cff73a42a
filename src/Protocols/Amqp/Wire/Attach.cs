namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>Part 2 section 2.8.1: the end of the link that a frame speaks for.</summary>
public enum Role : byte
{
    Sender = 0,
    Receiver = 1,
}

/// <summary>Part 2 section 2.8.2.</summary>
public enum SenderSettleMode : byte
{
    Unsettled = 0,
    Settled = 1,
    Mixed = 2,
}

/// <summary>Part 2 section 2.8.3.</summary>
public enum ReceiverSettleMode : byte
{
    First = 0,
    Second = 1,
}

// Part 2 section 2.7.3: <descriptor name="amqp:attach:list" code="0x00000000:0x00000012"/>
//
//  0  name                     string                 mandatory
//  1  handle                   handle                 mandatory
//  2  role                     role                   mandatory
//  3  snd-settle-mode          sender-settle-mode     default mixed
//  4  rcv-settle-mode          receiver-settle-mode   default first
//  5  source                   *                      requires source
//  6  target                   *                      requires target
//  7  unsettled                map
//  8  incomplete-unsettled     boolean                default false
//  9  initial-delivery-count   sequence-no            mandatory for a sender
// 10  max-message-size         ulong
// 11  offered-capabilities     symbol                 multiple
// 12  desired-capabilities     symbol                 multiple
// 13  properties               fields

/// <summary>Attaches a link to a session.</summary>
[AmqpList(0x12, "amqp:attach:list")]
public sealed partial record Attach : IPerformative
{
    [Field(0, Mandatory = true)]
    public required string Name { get; init; }

    [Field(1, Mandatory = true)]
    public required uint Handle { get; init; }

    [Field(2, FieldKind.Boolean, Mandatory = true)]
    public required Role Role { get; init; }

    [Field(3, Default = (byte)2)]
    public SenderSettleMode SenderSettleMode { get; init; } = SenderSettleMode.Mixed;

    [Field(4)]
    public ReceiverSettleMode ReceiverSettleMode { get; init; }

    [Field(5)]
    public Source? Source { get; init; }

    /// <summary>A <see cref="Wire.Target"/>, a <see cref="Coordinator"/>, or null.</summary>
    [Field(6)]
    public Terminus? Target { get; init; }

    /// <summary>Delivery tags (binary) to delivery states (described, or null).</summary>
    [Field(7)]
    public AmqpMap? Unsettled { get; init; }

    [Field(8)]
    public bool IncompleteUnsettled { get; init; }

    [Field(9)]
    public uint? InitialDeliveryCount { get; init; }

    /// <summary>The largest message that the sender of the attach takes, in bytes; null or 0: no limit.</summary>
    [Field(10)]
    public ulong? MaxMessageSize { get; init; }

    [Field(11, FieldKind.Symbol)]
    public string[]? OfferedCapabilities { get; init; }

    [Field(12, FieldKind.Symbol)]
    public string[]? DesiredCapabilities { get; init; }

    [Field(13)]
    public AmqpMap? Properties { get; init; }
}
