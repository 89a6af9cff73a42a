using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>
/// The consumers by which one queue of a session, its own or that of a shared subscription, hears the streams that it
/// follows: one for each. Owned by the connection.
/// </summary>
internal sealed class StreamConsumers
{
    private readonly BrokerClient _client;
    private readonly QueueWatch _watch;
    private readonly int _credit;
    private readonly List<Consumer> _consumers = [];
    private Subscription? _shared;

    private StreamConsumers(BrokerClient client, QueueWatch watch, Subscription? shared, int credit)
    {
        _client = client;
        _watch = watch;
        _shared = shared;
        _credit = credit;
        watch.Tag = this;
    }

    public IReadOnlyList<Consumer> All => _consumers;

    /// <summary>The shared subscription that they belong to; null: what the session subscribes to decides.</summary>
    public Subscription? Shared
    {
        get => _shared;
        set
        {
            _shared = value;
            _consumers.ForEach(consumer => consumer.Tag = value);
        }
    }

    /// <summary>Hears the streams that the queue follows now, and those that it follows later. Errors: as of <see
    /// cref="BrokerClient.OpenConsumer"/>.</summary>
    public static StreamConsumers Open(BrokerClient client, string queue, Subscription? shared, int credit)
    {
        QueueWatch watch = client.WatchReaders(queue, out IReadOnlyList<string> there);
        StreamConsumers consumers = new(client, watch, shared, credit);
        foreach (string name in there)
        {
            consumers.Add(name);
        }

        return consumers;
    }

    /// <summary>One more stream is followed. Errors: as of <see cref="BrokerClient.OpenConsumer"/>.</summary>
    public void Add(string queue)
    {
        if (_client.FindQueue(queue) is null || _consumers.Exists(one => one.Options.Queue == queue))
        {
            // It is gone again, or was there already when the watch began.
            return;
        }

        Consumer consumer = _client.OpenConsumer(new ConsumerOptions { Queue = queue, Format = PayloadFormat.Mqtt });
        consumer.Tag = _shared;
        _consumers.Add(consumer);
        _client.Grant(consumer, _credit);
    }

    /// <summary>The stream, or what was subscribed to, is gone; false: it is none of these.</summary>
    public bool Remove(Consumer consumer) => _consumers.Remove(consumer);

    /// <summary>Nothing more is heard.</summary>
    public void Close()
    {
        _client.EndWatch(_watch);
        foreach (Consumer consumer in _consumers)
        {
            _client.CloseConsumer(consumer, countAttempts: false);
        }

        _consumers.Clear();
    }
}
