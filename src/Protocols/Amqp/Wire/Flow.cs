namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.4: <descriptor name="amqp:flow:list" code="0x00000000:0x00000013"/>
//
//  0  next-incoming-id   transfer-number
//  1  incoming-window    uint              mandatory
//  2  next-outgoing-id   transfer-number   mandatory
//  3  outgoing-window    uint              mandatory
//  4  handle             handle
//  5  delivery-count     sequence-no
//  6  link-credit        uint
//  7  available          uint
//  8  drain              boolean           default false
//  9  echo               boolean           default false
// 10  properties         fields

/// <summary>
/// Updates the flow state of a session and, with a handle, of a link. Spans live as long as the frame.
/// </summary>
[AmqpList(0x13, "amqp:flow:list")]
public readonly ref partial struct Flow
{
    [Field(0)]
    public uint? NextIncomingId { get; init; }

    [Field(1, Mandatory = true)]
    public uint IncomingWindow { get; init; }

    [Field(2, Mandatory = true)]
    public uint NextOutgoingId { get; init; }

    [Field(3, Mandatory = true)]
    public uint OutgoingWindow { get; init; }

    [Field(4)]
    public uint? Handle { get; init; }

    [Field(5)]
    public uint? DeliveryCount { get; init; }

    [Field(6)]
    public uint? LinkCredit { get; init; }

    [Field(7)]
    public uint? Available { get; init; }

    [Field(8)]
    public bool Drain { get; init; }

    [Field(9)]
    public bool Echo { get; init; }

    /// <summary>The encoded map, default when absent.</summary>
    [Field(10, FieldKind.Encoded)]
    public ReadOnlySpan<byte> Properties { get; init; }
}
