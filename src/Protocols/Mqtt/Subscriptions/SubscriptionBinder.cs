using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Subscriptions;

/// <summary>
/// What a subscription is in the broker: a pattern of the session's own queue, or of the queue of a group that shares
/// it (MQTT 5.0 §4.8.2), of which this session is a consumer; and the streams that each follows. Owned by the
/// connection.
/// </summary>
internal sealed class SubscriptionBinder(SessionQueues queues, MqttOptions options)
{
    private readonly BrokerClient _client = queues.Client;
    private StreamConsumers? _streams;

    /// <summary>From now on what matches comes. Errors: as of <see cref="BrokerClient.Bind"/>, and for a group as of
    /// <see cref="BrokerClient.CreateQueue"/> and <see cref="BrokerClient.OpenConsumer"/>.</summary>
    public void Bind(Subscription subscription)
    {
        if (subscription.Group is null)
        {
            _streams ??= StreamConsumers.Open(_client, queues.Queue, null, options.SharedPrefetchMax);
            _client.Bind(queues.Queue, subscription.Pattern);
            return;
        }

        string queue = subscription.SharedQueue;
        bool isThere = _client.FindQueue(queue) is not null;
        try
        {
            BindShared(subscription, queue);
        }
        catch (BrokerException) when (!isThere)
        {
            // Nobody is a member: it goes, unless one has come meanwhile.
            ForgetShared(queue);
            throw;
        }
    }

    /// <summary>Another subscription had taken over what is this one's, and is none.</summary>
    public static void GiveBack(Subscription older)
    {
        if (older.Consumer is { } consumer)
        {
            consumer.Tag = older;
        }

        if (older.Streams is { } streams)
        {
            streams.Shared = older;
        }
    }

    private void BindShared(Subscription subscription, string queue)
    {
        _client.CreateQueue(new QueueConfig
        {
            Name = queue,
            Address = subscription.Pattern,
            RoutingType = RoutingType.Multicast,
            AutoCreated = true,
            IsSubscription = true,
            DeleteOnNoConsumers = queues.State is null,
            TransientMax = options.WaitingMessagesMax,
            StreamsMax = options.StreamSubscriptionsMax,
        });
        _client.Bind(queue, subscription.Pattern);
        queues.KeepShared(queue, isLeaving: false);
        Consume(subscription, queue);
    }

    private void ForgetShared(string queue)
    {
        try
        {
            _client.SetQueueExpiry(queue, 0, begins: true);
        }
        catch (BrokerException)
        {
            // The disk takes nothing: a queue stays that nobody uses.
        }
    }

    /// <summary>No more of what matches goes into the session's own queue. Errors: as of <see
    /// cref="BrokerClient.Bind"/>.</summary>
    public void Unbind(Subscription own) => _client.Unbind(queues.Queue, own.Pattern);

    /// <summary>The session is no member of a group any more: closes its consumers, and says which they were.</summary>
    public IReadOnlyList<Consumer> Close(Subscription shared)
    {
        List<Consumer> consumers = [.. shared.Streams?.All ?? []];
        shared.Streams?.Close();
        if (shared.Consumer is { } consumer)
        {
            consumers.Add(consumer);
            _client.CloseConsumer(consumer, countAttempts: false);
        }

        return consumers;
    }

    /// <summary>A shared subscription waits for this session no longer than it may live from now on. Errors:
    /// Unavailable.</summary>
    public void BeginLeaving(Subscription shared)
    {
        if (shared.Consumer is not null && shared.Group is not null)
        {
            queues.KeepShared(shared.SharedQueue, isLeaving: true);
        }
    }

    /// <summary>The broker has closed a consumer of a stream, or of a group, whose queue was deleted: whoever reads it
    /// has to subscribe anew. False: it is none of these.</summary>
    public bool OnClosed(Consumer consumer)
    {
        var shared = consumer.Tag as Subscription;
        if (_streams?.Remove(consumer) == true || shared?.Streams?.Remove(consumer) == true)
        {
            return true;
        }

        if (shared is not null)
        {
            shared.Consumer = null;
        }

        return shared is not null;
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
            _client.Grant(subscription.Consumer, options.SharedPrefetchMax);
        }

        subscription.Consumer.Tag = subscription;
        subscription.Streams ??= StreamConsumers.Open(_client, queue, subscription, options.SharedPrefetchMax);
        subscription.Streams.Shared = subscription;
    }
}
