using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>Subscriptions (MQTT 5.0 §3.8 to §3.11, §4.7, §4.8).</content>
internal sealed partial class MqttSession
{
    private Dictionary<int, PendingAck>? _acks;
    private StreamConsumers? _streams;
    private int _lastAck;

    private void OnSubscribe(SubscribePacket packet)
    {
        var ack = new PendingAck(PacketType.SubAck, packet.PacketId);
        int number = ++_lastAck;
        while (packet.Next(out SubscriptionRequest request))
        {
            ack.Reasons.Add((byte)Subscribe(request, packet.SubscriptionId, number, ack));
        }

        Await(ack, number);
    }

    private ReasonCode Subscribe(SubscriptionRequest request, int id, int number, PendingAck ack)
    {
        if (Subscription.Parse(request.Filter, request.Options, id) is not { } subscription)
        {
            return ReasonCode.TopicFilterInvalid;
        }

        if (subscription.Group is not null && request.Options.NoLocal)
        {
            MqttException.Protocol("no local is not for shared subscriptions");
        }

        bool isNew = !_subscriptions.TryGet(request.Filter, out Subscription? older);
        if (isNew && _subscriptions.Count >= Options.SubscriptionsMax)
        {
            return ReasonCode.QuotaExceeded;
        }

        try
        {
            (subscription.Consumer, subscription.Streams) = (older?.Consumer, older?.Streams);
            Bind(subscription);
        }
        catch (BrokerException refusal)
        {
            ReasonCode reason = BrokerErrors.ToReason(refusal);
            return ReasonTable.For(
                PacketType.SubAck, reason == ReasonCode.TopicNameInvalid ? ReasonCode.TopicFilterInvalid : reason);
        }

        Enter(subscription);
        _retainedReplies.Begin(subscription, isNew);
        if (State is not null)
        {
            ack.Awaited++;
            string key = SubscriptionTable.KeyOf(request.Filter);
            State.Put(key, request.Filter, request.Options, id, new Tag(TagKind.SubAck, number).Value);
        }

        return (ReasonCode)request.Options.Qos;
    }

    private void Enter(Subscription subscription)
    {
        _subscriptions.Set(subscription);
        _producer.SignsRecords = _subscriptions.HasNoLocal;
    }

    private void Bind(Subscription subscription)
    {
        if (subscription.Group is null)
        {
            _streams ??= StreamConsumers.Open(_client, _queues.Queue, null, Options.SharedPrefetchMax);
            _client.Bind(_queues.Queue, subscription.Pattern);
            return;
        }

        string queue = subscription.SharedQueue;
        _client.CreateQueue(new QueueConfig
        {
            Name = queue,
            Address = subscription.Pattern,
            RoutingType = RoutingType.Multicast,
            AutoCreated = true,
            IsSubscription = true,
            DeleteOnNoConsumers = State is null,
            TransientMax = Options.WaitingMessagesMax,
            StreamsMax = Options.StreamSubscriptionsMax,
        });
        _client.Bind(queue, subscription.Pattern);
        _queues.KeepShared(queue, isLeaving: false);
        Consume(subscription, queue);
    }

    private void Consume(Subscription subscription, string queue)
    {
        if (subscription.Consumer is null)
        {
            subscription.Consumer = _client.OpenConsumer(new ConsumerOptions
            {
                Queue = queue,
                Format = PayloadFormat.Mqtt,
            });
            if (_isStarted)
            {
                _client.Grant(subscription.Consumer, Options.SharedPrefetchMax);
            }
        }

        subscription.Consumer.Tag = subscription;
        subscription.Streams ??= StreamConsumers.Open(_client, queue, subscription, Options.SharedPrefetchMax);
        subscription.Streams.Shared = subscription;
    }

    private void OnUnsubscribe(UnsubscribePacket packet)
    {
        var ack = new PendingAck(PacketType.UnsubAck, packet.PacketId);
        int number = ++_lastAck;
        while (packet.Next(out ReadOnlySpan<byte> filter))
        {
            ack.Reasons.Add((byte)Unsubscribe(filter, number, ack));
        }

        Await(ack, number);
    }

    private ReasonCode Unsubscribe(ReadOnlySpan<byte> filter, int number, PendingAck ack)
    {
        if (!_subscriptions.Remove(filter, out Subscription? removed))
        {
            return ReasonCode.NoSubscriptionExisted;
        }

        _producer.SignsRecords = _subscriptions.HasNoLocal;

        if (removed.Group is not null)
        {
            Leave(removed);
        }
        else
        {
            _client.Unbind(_queues.Queue, removed.Pattern);
        }

        ulong tag = new Tag(TagKind.SubAck, number).Value;
        if (State?.Remove(SubscriptionTable.KeyOf(filter), tag) == true)
        {
            ack.Awaited++;
        }

        return ReasonCode.Success;
    }

    private void Leave(Subscription shared)
    {
        _answers.EndUnanswered(shared);
        List<Consumer> consumers = [.. shared.Streams?.All ?? []];
        shared.Streams?.Close();
        if (shared.Consumer is { } consumer)
        {
            consumers.Add(consumer);
            _client.CloseConsumer(consumer, countAttempts: false);
            _queues.KeepShared(shared.SharedQueue, isLeaving: true);
        }

        consumers.ForEach(_sender.Forget);
    }

    // Shared subscriptions wait for this session no longer than it lives.
    private void LeaveShared()
    {
        foreach (Subscription shared in _subscriptions.All)
        {
            if (shared.Consumer is not null && shared.Group is not null)
            {
                _queues.KeepShared(shared.SharedQueue, isLeaving: true);
            }
        }
    }

    private void Await(PendingAck ack, int number)
    {
        if (ack.Awaited == 0)
        {
            Write(ack);
        }
        else
        {
            (_acks ??= []).Add(number, ack);
        }
    }

    private void OnKept(int number, BrokerException? error)
    {
        if (_acks is null || !_acks.TryGetValue(number, out PendingAck? ack))
        {
            return;
        }

        if (error is not null)
        {
            _end.With(error);
        }
        else if (--ack.Awaited == 0)
        {
            _acks.Remove(number);
            Write(ack);
        }
    }

    private void Write(PendingAck ack)
    {
        if (!_output.TryAnswer(ack.ToPacket()))
        {
            _end.With(ReasonCode.PacketTooLarge, "the answer has more reason codes than the client takes");
        }
    }

    // Subscriptions are bound still; what was made of them and not kept, or the other way round, is put right.
    private void Resume(SessionState state)
    {
        foreach ((string key, SubscriptionOptions options, int id) in state.Subscriptions.ToArray())
        {
            if (Subscription.Parse(System.Text.Encoding.UTF8.GetBytes(key), options, id) is { } subscription)
            {
                Resume(key, subscription, state);
            }
        }

        foreach (ushort id in state.Incoming)
        {
            _unanswered.Resume(id);
        }

        _sender.ResumeKept();
    }

    private void Resume(string key, Subscription subscription, SessionState state)
    {
        try
        {
            Bind(subscription);
            Enter(subscription);
        }
        catch (BrokerException)
        {
            // It was allowed once and is no longer.
            _client.Unbind(_queues.Queue, subscription.Pattern);
            state.Remove(key, 0);
        }
    }

    /// <summary>A SUBACK or UNSUBACK that waits until what it says is on disk.</summary>
    private sealed class PendingAck(PacketType type, ushort packetId)
    {
        public List<byte> Reasons { get; } = [];

        public int Awaited { get; set; }

        public SubAckPacket ToPacket() => new(type, packetId, Reasons.ToArray());
    }
}
