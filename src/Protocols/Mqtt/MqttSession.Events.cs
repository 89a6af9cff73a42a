using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>What the broker tells.</content>
internal sealed partial class MqttSession : IClientEvents
{
    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery)
    {
        if (State?.Owns(delivery.Consumer) == true)
        {
            State.OnDelivery(delivery);
            return;
        }

        (_pending ??= new Queue<Delivery>()).Enqueue(delivery);
    }

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
        Tag done = Tag.From(tag);
        switch (done.Kind)
        {
            case TagKind.PubAck:
                OnStored((ushort)done.Number, PacketType.PubAck, error);
                break;
            case TagKind.PubRec:
                OnStored((ushort)done.Number, PacketType.PubRec, error);
                break;
            case TagKind.Staged when error is not null:
                OnRefusedInTransaction((ushort)done.Number, error);
                break;
            case TagKind.SubAck:
                OnKept(done.Number, error);
                break;
            case TagKind.Send:
                OnSentKept((ushort)done.Number, error);
                break;
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnUnrouted(Producer producer, ulong tag)
    {
        Tag done = Tag.From(tag);
        switch (done.Kind)
        {
            case TagKind.PubAck:
                OnStored((ushort)done.Number, PacketType.PubAck, null, isUnrouted: true);
                break;
            case TagKind.PubRec:
                OnStored((ushort)done.Number, PacketType.PubRec, null, isUnrouted: true);
                break;
            case TagKind.Staged:
                (_unrouted ??= []).Add((ushort)done.Number);
                break;
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit)
    {
        if (ReferenceEquals(producer, _producer))
        {
            _credit += credit;
        }
        else if (ReferenceEquals(producer, _ownProducer))
        {
            _ownCredit += credit;
            Unblock();
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit) => State?.OnDrained();

    /// <inheritdoc/>
    void IClientEvents.OnSettled(ulong tag)
    {
        Tag done = Tag.From(tag);
        switch (done.Kind)
        {
            case TagKind.PubComp:
                Complete((ushort)done.Number);
                break;
            case TagKind.Refuse:
                Refuse((ushort)done.Number);
                break;
            case TagKind.Free:
                Free((ushort)done.Number);
                break;
            case TagKind.Release:
                OnReleased((ushort)done.Number);
                break;
            case TagKind.Resumed:
                _isResuming = false;
                break;
            case TagKind.Gone:
                OnGone((ushort)done.Number);
                break;
            case TagKind.SubAck:
                OnKept(done.Number, null);
                break;
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (_discharging?.Remove(tag, out TransactionParts? parts) != true)
        {
            return;
        }

        foreach (ushort id in parts!.Incoming)
        {
            OnIncomingDischarged(id, error);
        }

        if (error is not null && parts.TakesOver)
        {
            // What was to become the client's was not sent: with the connection's end it is the group's again.
            EndWith(BrokerErrors.ToReason(error), error.Message);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
        if (_streams?.Remove(consumer) == true || (consumer.Tag as Subscription)?.Streams?.Remove(consumer) == true)
        {
            ForgetPending(consumer);
            return;
        }

        if (consumer.Tag is Subscription shared)
        {
            // The group's queue was deleted: whoever reads it has to subscribe anew.
            shared.Consumer = null;
            ForgetPending(consumer);
            return;
        }

        EndWith(ReasonCode.AdministrativeAction, reason.Message);
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason)
    {
        // A relay has no address that could go.
    }

    /// <inheritdoc/>
    void IClientEvents.OnQueueMade(QueueWatch watch, string queue)
    {
        try
        {
            ((StreamConsumers)watch.Tag!).Add(queue);
        }
        catch (BrokerException refusal)
        {
            EndWith(BrokerErrors.ToReason(refusal), refusal.Message);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason) => EndWith(
        reason.Error == BrokerError.Unavailable ? ReasonCode.ServerShuttingDown : ReasonCode.AdministrativeAction,
        reason.Message);

    // The message is not taken, and its identifier, which is kept with the rest of the transaction, is to go again. The
    // client hears of it then: it may use the identifier anew from its answer on.
    private void OnRefusedInTransaction(ushort id, BrokerException error)
    {
        if (_version != MqttVersion.V5)
        {
            EndWith(BrokerErrors.ToReason(error), error.Message);
            return;
        }

        _incoming![id] = IncomingState.Refused;
        (_refusals ??= [])[id] = error;
    }

    private void Refuse(ushort id)
    {
        _refusals!.Remove(id, out BrokerException? error);
        _incoming!.Remove(id);
        _unanswered--;
        Answer(PacketType.PubRec, id, BrokerErrors.ToReason(error!), error!.Message);
    }

    private void OnIncomingDischarged(ushort id, BrokerException? error)
    {
        bool isRefused = _incoming!.GetValueOrDefault(id) == IncomingState.Refused;
        bool isUnrouted = _unrouted?.Remove(id) == true;
        if (error is null && !isRefused)
        {
            OnStored(id, PacketType.PubRec, null, isUnrouted);
            return;
        }

        if (error is null)
        {
            if (!State!.Remove(StateKind.Incoming, id, new Tag(TagKind.Refuse, id).Value))
            {
                Refuse(id);
            }

            return;
        }

        _refusals?.Remove(id);
        State!.ForgetIncoming(id);
        OnStored(id, PacketType.PubRec, error);
    }
}
