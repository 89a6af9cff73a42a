using System.Buffers.Binary;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;

namespace Pillarbox.Protocols.Amqp.Transactions;

/// <summary>An outcome that the peer stated inside a transaction.</summary>
/// <param name="Session">The session of the delivery.</param>
/// <param name="DeliveryId">Its id there.</param>
/// <param name="Delivery">The delivery.</param>
/// <param name="IsSettled">Whether the peer settled with it; otherwise the node settles when the transaction
/// commits.</param>
internal readonly record struct TransactedOutcome(
    AmqpSession Session, uint DeliveryId, Delivery Delivery, bool IsSettled);

/// <summary>A declared transaction (part 4). Owned by its connection.</summary>
internal sealed class LocalTransaction
{
    private readonly byte[] _txnId = new byte[sizeof(long)];

    public LocalTransaction(Transaction broker, TransactionLink link)
    {
        Broker = broker;
        Link = link;
        BinaryPrimitives.WriteInt64BigEndian(_txnId, broker.Id);
    }

    public Transaction Broker { get; }

    /// <summary>The coordinator link that declared it.</summary>
    public TransactionLink Link { get; }

    /// <summary>The txn-id on the wire.</summary>
    public ReadOnlySpan<byte> TxnId => _txnId;

    /// <summary>What the peer said of deliveries inside of it.</summary>
    public List<TransactedOutcome> Outcomes { get; } = [];

    /// <summary>The delivery that discharges it, once there is one.</summary>
    public uint? DischargeId { get; set; }

    /// <summary>Whether the discharge asks for a rollback.</summary>
    public bool Fails { get; set; }
}
