using Pillarbox.Broker;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Transactions;

/// <summary>The control link of transactions (part 4 section 4.2): its messages declare and discharge.</summary>
internal sealed class TransactionLink : IncomingLink
{
    private const uint Credit = 256;

    public TransactionLink(AmqpSession session, Attach attach)
        : base(session, attach)
    {
        LinkCredit = Credit;
        session.Connection.Owed.OweFlow(this);
    }

    /// <summary>A discharge is done: on disk, or rolled back because of the error.</summary>
    public static void OnDischarged(LocalTransaction transaction, BrokerException? error)
    {
        bool committed = error is null && !transaction.Fails;
        foreach (TransactedOutcome outcome in transaction.Outcomes)
        {
            outcome.Session.OnTransactionEnd(outcome, committed);
        }

        TransactionLink link = transaction.Link;
        if (link.State != LinkState.Attached || link.Session.State != SessionState.Mapped)
        {
            return;
        }

        uint id = transaction.DischargeId!.Value;
        if (error is null)
        {
            link.Session.Incoming.Accept(id, settled: true);
            return;
        }

        link.Session.Incoming.Reject(
            id, new AmqpError { Condition = AmqpErrorCondition.TransactionRollback, Description = error.Message });
    }

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        AbandonDelivery();
        Session.Connection.Transactions.Abandon(Session.Connection.Client, this);
    }

    /// <inheritdoc/>
    protected override void OnPart(ReadOnlyMemory<byte> payload, bool more)
    {
        const int MessageBytesMax = 4096;
        if (ReceivedBytes > MessageBytesMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.LinkMessageSizeExceeded, "a message to the coordinator is not that large",
                AmqpSeverity.Link);
        }

        base.OnPart(payload, more);
    }

    /// <inheritdoc/>
    protected override void OnMessage(ReadOnlyMemory<byte> message)
    {
        if (IsSettled)
        {
            throw new AmqpException(
                AmqpErrorCondition.NotAllowed, "a message to the coordinator must not be settled", AmqpSeverity.Link);
        }

        IsReadingMessage = true;
        var reader = new AmqpReader(message.Span);
        SkipToValue(ref reader);
        ulong request = reader.PeekDescriptor();
        switch (request)
        {
            case Declare.DescriptorCode:
                OnDeclare(Declare.Read(ref reader));
                break;
            case Discharge.DescriptorCode:
                OnDischarge(Discharge.Read(ref reader));
                break;
            default:
                throw new AmqpException(
                    AmqpErrorCondition.NotImplemented, "the coordinator knows declare and discharge only",
                    AmqpSeverity.Link);
        }

        IsReadingMessage = false;
        OnAborted();
    }

    /// <inheritdoc/>
    protected override void OnAborted()
    {
        LinkCredit = Credit;
        Session.Connection.Owed.OweFlow(this);
    }

    private static void SkipToValue(ref AmqpReader reader)
    {
        while (reader.ReadDescriptor() != Descriptors.AmqpValue)
        {
            reader.Skip();
        }
    }

    private void OnDeclare(Declare declare)
    {
        if (declare.GlobalId is not null)
        {
            throw new AmqpException(
                AmqpErrorCondition.NotImplemented, "only local transactions can be declared", AmqpSeverity.Link);
        }

        LocalTransaction transaction = Session.Connection.Transactions.Declare(Session.Connection.Client, this);
        Span<byte> buffer = stackalloc byte[32];
        var writer = new AmqpWriter(buffer);
        new Declared { TxnId = transaction.TxnId }.Write(ref writer);
        Session.Incoming.Write(DeliveryId, settled: true, writer.Written);
    }

    private void OnDischarge(in Discharge discharge)
    {
        LocalTransaction transaction = Session.Connection.Transactions.Find(discharge.TxnId);
        transaction.DischargeId = DeliveryId;
        transaction.Fails = discharge.Fail;
        Session.Connection.Client.Discharge(transaction.Broker, discharge.Fail, (ulong)DeliveryId + 1);
    }
}
