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

        _sender.Add(delivery);
    }

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
        Tag done = Tag.From(tag);
        switch (done.Kind)
        {
            case TagKind.PubAck:
                _unanswered.OnStored((ushort)done.Number, PacketType.PubAck, error);
                break;
            case TagKind.PubRec:
                _unanswered.OnStored((ushort)done.Number, PacketType.PubRec, error);
                break;
            case TagKind.Staged when error is not null:
                _unanswered.OnRefused((ushort)done.Number, error);
                break;
            case TagKind.SubAck:
                _acks.OnKept(done.Number, error);
                break;
            case TagKind.Send:
                OnIdentifierKept((ushort)done.Number, error);
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
                _unanswered.OnStored((ushort)done.Number, PacketType.PubAck, null, isUnrouted: true);
                break;
            case TagKind.PubRec:
                _unanswered.OnStored((ushort)done.Number, PacketType.PubRec, null, isUnrouted: true);
                break;
            case TagKind.Staged:
                _unanswered.OnUnrouted((ushort)done.Number);
                break;
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit)
    {
        if (ReferenceEquals(producer, _producer))
        {
            _publishes.AddCredit(credit);
        }
        else if (_own.Owns(producer))
        {
            _own.AddCredit(credit);
            _window.IsBlocked = false;
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
                _unanswered.Complete((ushort)done.Number);
                break;
            case TagKind.Refuse:
                _unanswered.OnRefusedForgotten((ushort)done.Number);
                break;
            case TagKind.Free:
                _answers.Free((ushort)done.Number);
                break;
            case TagKind.Release:
                _answers.OnReleased((ushort)done.Number);
                break;
            case TagKind.Resumed:
                _sender.OnResumed();
                break;
            case TagKind.Gone:
                _answers.OnGone((ushort)done.Number);
                break;
            case TagKind.SubAck:
                _acks.OnKept(done.Number, null);
                break;
            case TagKind.Taken:
                _consumerCredit.OnGone(done);
                break;
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (_pass.TakeDischarged(tag) is not { } parts)
        {
            return;
        }

        foreach (ushort id in parts.Incoming)
        {
            _unanswered.OnDischarged(id, error);
        }

        if (error is not null && parts.TakesOver)
        {
            // What was to become the client's was not sent: with the connection's end it is the group's again.
            _end.With(error);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
        if (!_subscriptions.OnConsumerClosed(consumer))
        {
            _end.With(ReasonCode.AdministrativeAction, reason.Message);
        }
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
            _end.With(refusal);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason) => _end.With(
        reason.Error == BrokerError.Unavailable ? ReasonCode.ServerShuttingDown : ReasonCode.AdministrativeAction,
        reason.Message);

    private void OnIdentifierKept(ushort id, BrokerException? error)
    {
        if (error is not null)
        {
            _end.With(error);
        }
        else
        {
            _sender.OnKept(id);
        }
    }
}
