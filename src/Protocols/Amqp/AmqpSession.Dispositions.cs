using System.Runtime.CompilerServices;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>What the peer says of the deliveries that the node sent (part 2 section 2.7.6, part 3 section 3.4, part 4
/// section 4.4.2).</content>
internal sealed partial class AmqpSession
{
    /// <summary>A disposition frame.</summary>
    public void OnDisposition(in Disposition disposition)
    {
        uint last = disposition.Last ?? disposition.First;
        if (SerialNumber.IsBefore(last, disposition.First))
        {
            throw new AmqpException(
                AmqpErrorCondition.InvalidField, $"a disposition from {disposition.First} back to {last}",
                AmqpSeverity.Session);
        }

        // As the sender of what comes in, the peer can only settle what the node has answered already: links that
        // remember forget it.
        if (disposition.Role == Role.Sender)
        {
            OnSenderDisposition(disposition, last);
            return;
        }

        PeerOutcome outcome = IsOfRoutedLink(disposition)
            ? default
            : ReadOutcome(disposition.State, disposition.Settled);
        foreach (uint id in Unsettled.StragglerIds.Count == 0 ? [] : Unsettled.StragglerIds.ToArray())
        {
            if (!SerialNumber.IsBefore(id, disposition.First) && !SerialNumber.IsBefore(last, id))
            {
                Apply(id, outcome, disposition);
            }
        }

        uint from = SerialNumber.IsBefore(disposition.First, Unsettled.FirstId) ? Unsettled.FirstId : disposition.First;
        for (uint id = from; !SerialNumber.IsBefore(last, id) && SerialNumber.IsBefore(id, Unsettled.NextId); id++)
        {
            Apply(id, outcome, disposition);
        }

        Connection.Turns.OnWindowOpened(this);
    }

    /// <summary>A settlement that the peer waits for (rcv-settle-mode second) is on disk.</summary>
    public void OnSettled(uint id)
    {
        ref SentDelivery sent = ref Unsettled.Find(id);
        if (!Unsafe.IsNullRef(ref sent) && sent.State == SentState.Settling)
        {
            Unsettled.Remove(id);
            Outgoing.Accept(id, settled: true);
        }
    }

    /// <summary>A transaction has ended in which the peer stated an outcome.</summary>
    public void OnTransactionEnd(in TransactedOutcome outcome, bool committed)
    {
        if (outcome.IsSettled)
        {
            if (!committed && ((SendingLink)outcome.Delivery.Consumer.Tag!).State == LinkState.Attached)
            {
                Connection.Client.Settle(outcome.Delivery, Outcome.Failed);
            }

            return;
        }

        ref SentDelivery sent = ref Unsettled.Find(outcome.DeliveryId);
        if (Unsafe.IsNullRef(ref sent) || sent.State != SentState.InTransaction)
        {
            return;
        }

        if (!committed)
        {
            sent.State = SentState.Unsettled;
            return;
        }

        Unsettled.Remove(outcome.DeliveryId);
        Outgoing.Accept(outcome.DeliveryId, settled: true);
    }

    /// <summary>Forgets one delivery without an outcome (aborted).</summary>
    public void ForgetDelivery(uint id)
    {
        if (!Unsafe.IsNullRef(ref Unsettled.Find(id)))
        {
            Unsettled.Remove(id);
        }
    }

    /// <summary>Forgets what is unsettled on a link that ends: the source's default-outcome counts; without one the
    /// broker takes those back with the consumer.</summary>
    public void ForgetDeliveries(OutgoingLink link)
    {
        foreach (uint id in Unsettled.StragglerIds.ToArray())
        {
            ForgetIfOf(link, id);
        }

        for (uint id = Unsettled.FirstId; id != Unsettled.NextId; id++)
        {
            ForgetIfOf(link, id);
        }
    }

    private void OnSenderDisposition(in Disposition disposition, uint last)
    {
        foreach (Link? link in _links)
        {
            if (link is RoutedIncomingLink routed)
            {
                routed.OnSenderState(disposition, last);
            }
            else if (link is LinkRouteIncoming whole)
            {
                whole.OnSenderState(disposition, last);
            }
            else if (disposition.Settled)
            {
                (link as ReceivingLink)?.OnSettledBySender(disposition.First, last);
            }
        }
    }

    // A transaction of another container, on a link that goes there as a whole, is none of this node's. A range that
    // begins there and goes on to deliveries of the broker states nothing for those.
    private bool IsOfRoutedLink(in Disposition disposition)
    {
        if (DeliveryState.KindOf(disposition.State) != DeliveryStateKind.Transactional)
        {
            return false;
        }

        ref SentDelivery sent = ref Unsettled.Find(disposition.First);
        return !Unsafe.IsNullRef(ref sent) && sent.Routed is not null;
    }

    private void ForgetIfOf(OutgoingLink link, uint id)
    {
        ref SentDelivery sent = ref Unsettled.Find(id);
        if (Unsafe.IsNullRef(ref sent) || sent.Link != link)
        {
            return;
        }

        if (sent.Routed is { } routed)
        {
            ((RoutedOutgoingLink)link).OnForgotten(routed);
        }
        else if (sent.State == SentState.Unsettled && ((SendingLink)link).DefaultOutcome is { } outcome)
        {
            Connection.Client.Settle(sent.Delivery, outcome);
        }

        Unsettled.Remove(id);
    }

    private void Apply(uint id, in PeerOutcome outcome, in Disposition disposition)
    {
        ref SentDelivery sent = ref Unsettled.Find(id);
        if (Unsafe.IsNullRef(ref sent))
        {
            return;
        }

        if (sent.Routed is { } routed)
        {
            ((RoutedOutgoingLink)sent.Link).OnPeerState(id, routed, disposition);
            return;
        }

        if (sent.State != SentState.Unsettled)
        {
            // Said twice; or settled while the transaction is open, which the end of the transaction finds.
            return;
        }

        PeerOutcome stated = outcome.IsDefault
            ? outcome with { Outcome = ((SendingLink)sent.Link).DefaultOutcome ?? Outcome.Released }
            : outcome;
        if (stated.Transaction is not null)
        {
            ApplyInTransaction(id, ref sent, stated);
        }
        else if (stated.IsFinal)
        {
            Finish(id, ref sent, stated);
        }
    }

    private void Finish(uint id, ref SentDelivery sent, in PeerOutcome outcome)
    {
        if (outcome.IsSettled)
        {
            Connection.Client.Settle(sent.Delivery, outcome.Outcome);
            Unsettled.Remove(id);
            return;
        }

        if (((SendingLink)sent.Link).SettlesSecond && outcome.Outcome.Kind == OutcomeKind.Accepted)
        {
            sent.State = SentState.Settling;
            Connection.Client.Settle(sent.Delivery, outcome.Outcome, Connection.Settlements.Tag(this, id));
            return;
        }

        Connection.Client.Settle(sent.Delivery, outcome.Outcome);
        Unsettled.Remove(id);
        if (outcome.Outcome.Kind == OutcomeKind.Accepted)
        {
            Outgoing.Accept(id, settled: true);
        }
        else
        {
            Outgoing.Write(id, settled: true, PeerOutcome.State(outcome.Outcome.Kind));
        }
    }

    private void ApplyInTransaction(uint id, ref SentDelivery sent, in PeerOutcome outcome)
    {
        LocalTransaction transaction = outcome.Transaction!;
        Connection.Client.Settle(sent.Delivery, outcome.Outcome, tag: 0, transaction.Broker);
        if (transaction.Broker.IsOverfull)
        {
            // Noted nowhere: with the link's end it goes back, like all that the link holds.
            Detach(sent.Link, new AmqpError
            {
                Condition = AmqpErrorCondition.ResourceLimitExceeded,
                Description = "a transaction has more acknowledgements than fit into it, and can only roll back",
            });
            return;
        }

        transaction.Outcomes.Add(new TransactedOutcome(this, id, sent.Delivery, outcome.IsSettled));
        if (outcome.IsSettled)
        {
            Unsettled.Remove(id);
        }
        else
        {
            sent.State = SentState.InTransaction;
        }
    }

    private PeerOutcome ReadOutcome(ReadOnlySpan<byte> state, bool settled)
    {
        DeliveryStateKind kind = DeliveryState.KindOf(state);
        if (kind != DeliveryStateKind.Transactional)
        {
            return PeerOutcome.Read(kind, state, settled, null, Connection.Options);
        }

        TransactionalState transactional = DeliveryState.ReadTransactional(state);
        LocalTransaction transaction = Connection.Transactions.Find(transactional.TxnId);
        ReadOnlySpan<byte> inner = transactional.Outcome;
        return PeerOutcome.Read(DeliveryState.KindOf(inner), inner, settled, transaction, Connection.Options);
    }
}
