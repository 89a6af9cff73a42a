using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Deliveries;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Subscriptions;

/// <summary>The subscriptions of a session as its client makes and ends them (MQTT 5.0 §3.8 to §3.11). Owned by the
/// connection.</summary>
internal sealed class SessionSubscriptions(
    SessionQueues queues, MqttOptions options, SubscriptionTable table, MessageSender sender,
    RetainedReplies retained, PendingAcks acks)
{
    private readonly SessionState? _state = queues.State;
    private readonly SubscriptionBinder _binder = new(queues, options);

    /// <summary>SUBSCRIBE.</summary>
    public void OnSubscribe(SubscribePacket packet)
    {
        PendingAck ack = acks.Begin(PacketType.SubAck, packet.PacketId);
        while (packet.Next(out SubscriptionRequest request))
        {
            ack.Add(Subscribe(request, packet.SubscriptionId, ack));
        }

        acks.Finish(ack);
    }

    /// <summary>UNSUBSCRIBE.</summary>
    public void OnUnsubscribe(UnsubscribePacket packet)
    {
        PendingAck ack = acks.Begin(PacketType.UnsubAck, packet.PacketId);
        while (packet.Next(out ReadOnlySpan<byte> filter))
        {
            ack.Add(Unsubscribe(filter, ack));
        }

        acks.Finish(ack);
    }

    /// <summary>Subscriptions are bound still; what was made of them and not kept, or the other way round, is put
    /// right.</summary>
    public void Resume(SessionState state)
    {
        foreach ((string key, SubscriptionOptions wanted, int id) in state.Subscriptions.ToArray())
        {
            if (Subscription.Parse(Encoding.UTF8.GetBytes(key), wanted, id) is { } subscription)
            {
                Resume(key, subscription, state);
            }
        }
    }

    /// <summary>The connection is over: shared subscriptions wait for the session no longer than it lives. Errors:
    /// Unavailable.</summary>
    public void LeaveShared()
    {
        foreach (Subscription one in table.All)
        {
            _binder.BeginLeaving(one);
        }
    }

    /// <summary>The broker has closed a consumer; false: it is none of a stream or of a group.</summary>
    public bool OnConsumerClosed(Consumer consumer)
    {
        bool isOurs = _binder.OnClosed(consumer);
        if (isOurs)
        {
            sender.Forget(consumer);
        }

        return isOurs;
    }

    private ReasonCode Subscribe(SubscriptionRequest request, int id, PendingAck ack)
    {
        if (Subscription.Parse(request.Filter, request.Options, id) is not { } subscription)
        {
            return ReasonCode.TopicFilterInvalid;
        }

        if (subscription.Group is not null && request.Options.NoLocal)
        {
            MqttException.Protocol("no local is not for shared subscriptions");
        }

        bool isNew = !table.TryGet(request.Filter, out Subscription? older);
        if (isNew && table.Count >= options.SubscriptionsMax)
        {
            return ReasonCode.QuotaExceeded;
        }

        try
        {
            (subscription.Consumer, subscription.Streams) = (older?.Consumer, older?.Streams);
            _binder.Bind(subscription);
        }
        catch (BrokerException refusal)
        {
            if (isNew)
            {
                Close(subscription);
            }

            return ReasonOf(refusal);
        }

        if (Keep(request, id, ack) is { } unkept)
        {
            GoBack(subscription, older, unkept);
            return ReasonOf(unkept);
        }

        table.Set(subscription);
        retained.Begin(subscription, isNew);
        return (ReasonCode)request.Options.Qos;
    }

    private static ReasonCode ReasonOf(BrokerException refusal)
    {
        ReasonCode reason = BrokerErrors.ToReason(refusal);
        return ReasonTable.For(
            PacketType.SubAck, reason == ReasonCode.TopicNameInvalid ? ReasonCode.TopicFilterInvalid : reason);
    }

    private BrokerException? Keep(SubscriptionRequest request, int id, PendingAck ack)
    {
        if (_state is null)
        {
            return null;
        }

        string key = SubscriptionTable.KeyOf(request.Filter);
        BrokerException? refusal = _state.Put(key, request.Filter, request.Options, id, ack.Tag);
        ack.Awaited += refusal is null ? 1 : 0;
        ack.Refused += refusal is null ? 0 : 1;
        return refusal;
    }

    // What the disk does not keep is not subscribed to: the one before goes on, if there was one.
    private void GoBack(Subscription subscription, Subscription? older, BrokerException unkept)
    {
        if (older is not null)
        {
            SubscriptionBinder.GiveBack(older);
            return;
        }

        try
        {
            End(subscription);
        }
        catch (BrokerException)
        {
            acks.Fail(unkept);
        }
    }

    private ReasonCode Unsubscribe(ReadOnlySpan<byte> filter, PendingAck ack)
    {
        if (!table.TryGet(filter, out Subscription? subscription))
        {
            return ReasonCode.NoSubscriptionExisted;
        }

        try
        {
            End(subscription);
        }
        catch (BrokerException refusal)
        {
            return acks.Refuse(refusal);
        }

        table.Remove(filter, out _);
        if (_state?.Remove(SubscriptionTable.KeyOf(filter), ack.Tag) == true)
        {
            ack.Awaited++;
        }

        return ReasonCode.Success;
    }

    // With an error it goes on as it was.
    private void End(Subscription subscription)
    {
        if (subscription.Group is null)
        {
            _binder.Unbind(subscription);
            return;
        }

        _binder.BeginLeaving(subscription);
        sender.EndUnanswered(subscription);
        Close(subscription);
    }

    private void Close(Subscription subscription)
    {
        foreach (Consumer consumer in _binder.Close(subscription))
        {
            sender.Forget(consumer);
        }
    }

    private void Resume(string key, Subscription subscription, SessionState state)
    {
        try
        {
            _binder.Bind(subscription);
            table.Set(subscription);
        }
        catch (BrokerException)
        {
            // It was allowed once and is no longer. A shared one has nothing in the session's own queue, whose
            // subscription to the same topics stays.
            if (subscription.Group is null)
            {
                _binder.Unbind(subscription);
            }

            Close(subscription);
            state.Remove(key, 0);
        }
    }
}
