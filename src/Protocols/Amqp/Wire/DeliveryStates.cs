namespace Pillarbox.Protocols.Amqp.Wire;

// Part 3 section 3.4.1: <descriptor name="amqp:received:list" code="0x00000000:0x00000023"/>
//
//  0  section-number   uint    mandatory
//  1  section-offset   ulong   mandatory

/// <summary>How far a receiver got with a message; no outcome.</summary>
[AmqpList(0x23, "amqp:received:list")]
public readonly partial record struct Received
{
    [Field(0, Mandatory = true)]
    public uint SectionNumber { get; init; }

    [Field(1, Mandatory = true)]
    public ulong SectionOffset { get; init; }
}

// Part 3 section 3.4.2: <descriptor name="amqp:accepted:list" code="0x00000000:0x00000024"/>, no fields

/// <summary>The message was processed.</summary>
[AmqpList(0x24, "amqp:accepted:list")]
public readonly partial record struct Accepted;

// Part 3 section 3.4.3: <descriptor name="amqp:rejected:list" code="0x00000000:0x00000025"/>
//
//  0  error   error

/// <summary>The message is invalid and cannot be processed.</summary>
[AmqpList(0x25, "amqp:rejected:list")]
public sealed partial record Rejected
{
    [Field(0)]
    public AmqpError? Error { get; init; }
}

// Part 3 section 3.4.4: <descriptor name="amqp:released:list" code="0x00000000:0x00000026"/>, no fields

/// <summary>The message was not (and will not be) processed.</summary>
[AmqpList(0x26, "amqp:released:list")]
public readonly partial record struct Released;

// Part 3 section 3.4.5: <descriptor name="amqp:modified:list" code="0x00000000:0x00000027"/>
//
//  0  delivery-failed       boolean
//  1  undeliverable-here    boolean
//  2  message-annotations   fields

/// <summary>The message was not processed, and changes.</summary>
[AmqpList(0x27, "amqp:modified:list")]
public readonly ref partial struct Modified
{
    [Field(0)]
    public bool DeliveryFailed { get; init; }

    [Field(1)]
    public bool UndeliverableHere { get; init; }

    /// <summary>The encoded map, default when absent.</summary>
    [Field(2, FieldKind.Encoded)]
    public ReadOnlySpan<byte> MessageAnnotations { get; init; }
}

// Part 4 section 4.5.5: <descriptor name="amqp:declared:list" code="0x00000000:0x00000033"/>
//
//  0  txn-id   *   mandatory, requires txn-id (4.5.4: binary, at most 32 bytes)

/// <summary>The outcome of a declare.</summary>
[AmqpList(0x33, "amqp:declared:list")]
public readonly ref partial struct Declared
{
    [Field(0, Mandatory = true)]
    public ReadOnlySpan<byte> TxnId { get; init; }
}

// Part 4 section 4.5.6: <descriptor name="amqp:transactional-state:list" code="0x00000000:0x00000034"/>
//
//  0  txn-id    *   mandatory, requires txn-id (binary)
//  1  outcome   *   requires outcome

/// <summary>The state of a delivery whose transfer or outcome belongs to a transaction.</summary>
[AmqpList(0x34, "amqp:transactional-state:list")]
public readonly ref partial struct TransactionalState
{
    [Field(0, Mandatory = true)]
    public ReadOnlySpan<byte> TxnId { get; init; }

    /// <summary>The encoded outcome, default when absent.</summary>
    [Field(1, FieldKind.Encoded)]
    public ReadOnlySpan<byte> Outcome { get; init; }
}
