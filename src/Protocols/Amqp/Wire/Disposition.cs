namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.6: <descriptor name="amqp:disposition:list" code="0x00000000:0x00000015"/>
//
//  0  role        role              mandatory
//  1  first       delivery-number   mandatory
//  2  last        delivery-number   absent: first
//  3  settled     boolean           default false
//  4  state       *                 requires delivery-state
//  5  batchable   boolean           default false

/// <summary>Tells the state of a range of deliveries. Spans live as long as the frame.</summary>
[AmqpList(0x15, "amqp:disposition:list")]
public readonly ref partial struct Disposition
{
    [Field(0, FieldKind.Boolean, Mandatory = true)]
    public Role Role { get; init; }

    [Field(1, Mandatory = true)]
    public uint First { get; init; }

    [Field(2)]
    public uint? Last { get; init; }

    [Field(3)]
    public bool Settled { get; init; }

    /// <summary>The encoded delivery state, see <see cref="DeliveryState"/>; default when absent.</summary>
    [Field(4, FieldKind.Encoded)]
    public ReadOnlySpan<byte> State { get; init; }

    [Field(5)]
    public bool Batchable { get; init; }
}
