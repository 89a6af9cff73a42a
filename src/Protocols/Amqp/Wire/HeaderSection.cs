namespace Pillarbox.Protocols.Amqp.Wire;

// Part 3 section 3.2.1: <descriptor name="amqp:header:list" code="0x00000000:0x00000070"/>
//
//  0  durable          boolean        default false
//  1  priority         ubyte          default 4
//  2  ttl              milliseconds
//  3  first-acquirer   boolean        default false
//  4  delivery-count   uint           default 0

/// <summary>How a message is to be handled on its way.</summary>
[AmqpList(0x70, "amqp:header:list")]
public readonly partial record struct HeaderSection
{
    public const byte PriorityDefault = 4;

    [Field(0)]
    public bool Durable { get; init; }

    /// <summary>0 to 255, of which 0 to 9 are told apart; null means <see cref="PriorityDefault"/>.</summary>
    [Field(1)]
    public byte? Priority { get; init; }

    /// <summary>Time to live in milliseconds; null: for ever.</summary>
    [Field(2)]
    public uint? TtlMs { get; init; }

    [Field(3)]
    public bool FirstAcquirer { get; init; }

    /// <summary>How often the message was delivered before without success.</summary>
    [Field(4)]
    public uint DeliveryCount { get; init; }
}
