namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.5: <descriptor name="amqp:transfer:list" code="0x00000000:0x00000014"/>
//
//  0  handle            handle                 mandatory
//  1  delivery-id       delivery-number        on the first frame of a delivery
//  2  delivery-tag      delivery-tag           on the first frame of a delivery; at most 32 bytes
//  3  message-format    message-format         on the first frame of a delivery
//  4  settled           boolean                absent on a continuation: as before
//  5  more              boolean                default false
//  6  rcv-settle-mode   receiver-settle-mode
//  7  state             *                      requires delivery-state
//  8  resume            boolean                default false
//  9  aborted           boolean                default false
// 10  batchable         boolean                default false

/// <summary>
/// Transfers a message or a part of it; the payload follows the performative in the frame. Spans live as long as the
/// frame. Reading and writing allocate nothing.
/// </summary>
[AmqpList(0x14, "amqp:transfer:list")]
public readonly ref partial struct Transfer
{
    /// <summary>The longest delivery-tag (section 2.8.7), in bytes.</summary>
    public const int DeliveryTagBytesMax = 32;

    [Field(0, Mandatory = true)]
    public uint Handle { get; init; }

    [Field(1)]
    public uint? DeliveryId { get; init; }

    /// <summary>Default when absent; an empty tag is another thing.</summary>
    [Field(2)]
    public ReadOnlySpan<byte> DeliveryTag { get; init; }

    [Field(3)]
    public uint? MessageFormat { get; init; }

    [Field(4)]
    public bool? Settled { get; init; }

    [Field(5)]
    public bool More { get; init; }

    [Field(6)]
    public ReceiverSettleMode? ReceiverSettleMode { get; init; }

    /// <summary>The encoded delivery state, see <see cref="DeliveryState"/>; default when absent.</summary>
    [Field(7, FieldKind.Encoded)]
    public ReadOnlySpan<byte> State { get; init; }

    [Field(8)]
    public bool Resume { get; init; }

    [Field(9)]
    public bool Aborted { get; init; }

    [Field(10)]
    public bool Batchable { get; init; }

    /// <summary>Whether a delivery tag is there at all; an empty one is.</summary>
    public bool HasDeliveryTag => FieldRules.IsPresent(DeliveryTag);
}
