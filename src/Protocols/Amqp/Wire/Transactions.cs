namespace Pillarbox.Protocols.Amqp.Wire;

// Part 4 section 4.5.1: <descriptor name="amqp:coordinator:list" code="0x00000000:0x00000030"/>
//
//  0  capabilities   symbol   multiple, requires txn-capability (4.5.7)

/// <summary>The target of a link on which transactions are declared and discharged.</summary>
[AmqpList(0x30, "amqp:coordinator:list")]
public sealed partial record Coordinator : Terminus
{
    // 4.5.7 txn-capability
    public const string LocalTransactions = "amqp:local-transactions";
    public const string DistributedTransactions = "amqp:distributed-transactions";
    public const string PromotableTransactions = "amqp:promotable-transactions";
    public const string MultiTxnsPerSsn = "amqp:multi-txns-per-ssn";
    public const string MultiSsnsPerTxn = "amqp:multi-ssns-per-txn";

    [Field(0, FieldKind.Symbol)]
    public string[]? Capabilities { get; init; }
}

// Part 4 section 4.5.2: <descriptor name="amqp:declare:list" code="0x00000000:0x00000031"/>
//
//  0  global-id   *   requires global-tx-id

/// <summary>The body (an amqp-value) of the message that starts a transaction.</summary>
[AmqpList(0x31, "amqp:declare:list")]
public sealed partial record Declare
{
    /// <summary>The encoded id of a distributed transaction.</summary>
    [Field(0, FieldKind.Encoded)]
    public byte[]? GlobalId { get; init; }
}

// Part 4 section 4.5.3: <descriptor name="amqp:discharge:list" code="0x00000000:0x00000032"/>
//
//  0  txn-id   *         mandatory, requires txn-id (binary)
//  1  fail     boolean   absent: false

/// <summary>The body (an amqp-value) of the message that commits (fail = false) or rolls back a transaction.</summary>
[AmqpList(0x32, "amqp:discharge:list")]
public readonly ref partial struct Discharge
{
    [Field(0, Mandatory = true)]
    public ReadOnlySpan<byte> TxnId { get; init; }

    [Field(1)]
    public bool Fail { get; init; }
}
