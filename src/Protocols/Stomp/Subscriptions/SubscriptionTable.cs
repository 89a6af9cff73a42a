using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>SUBSCRIBE and UNSUBSCRIBE (1.2): the subscriptions of a connection. Used by the connection's loop alone.
/// </summary>
internal sealed class SubscriptionTable(
    BrokerClient client, StompOptions options, SubscriptionResolver resolver, MessageTurns turns)
{
    private readonly Dictionary<string, StompSubscription> _subscriptions = new(StringComparer.Ordinal);
    private readonly Dictionary<int, StompSubscription> _byNumber = [];
    private readonly List<StompSubscription> _flushing = [];
    private int _lastNumber;

    /// <summary>The subscription of that number; null: there is none.</summary>
    public StompSubscription? Find(int number) => _byNumber.GetValueOrDefault(number);

    /// <summary>One begins.</summary>
    /// <exception cref="StompException">It is in use, one too many, or its destination is none for it.</exception>
    /// <exception cref="BrokerException">It may not consume there.</exception>
    public void Subscribe(in FrameHead frame, StompVersion version)
    {
        string text = frame.Required("destination"u8, version);
        string? id = frame.Text("id"u8, version);
        if (id is null && version != StompVersion.V10)
        {
            throw new StompException("the frame has no 'id' header");
        }

        // 1.0: a subscription without an id is known by its destination.
        string key = id ?? text;
        if (_subscriptions.ContainsKey(key))
        {
            throw new StompException($"there is a subscription '{StompException.Shorten(key)}' already");
        }

        if (_subscriptions.Count >= options.SubscriptionsMax)
        {
            throw new StompException($"the connection has {options.SubscriptionsMax} subscriptions already");
        }

        // Whatever can be refused is refused before something is made.
        AckMode mode = AckModeOf(frame.Text("ack"u8, version));
        ConsumerOptions wanted = resolver.Resolve(frame, version, key, text, out string? volatileQueue);
        long? window = frame.NumberOf("activemq.prefetchSize"u8, version)
            ?? frame.NumberOf("prefetch-count"u8, version);
        long windowBytes = frame.NumberOf("consumer-window-size"u8, version) ?? 0;
        Consumer consumer = client.OpenConsumer(wanted);
        var subscription = new StompSubscription(client, consumer, ++_lastNumber, id, version)
        {
            Destination = text,
            PatternPrefix = Destination.Parse(text, options).PatternPrefixOf(text),
            AckMode = mode,
            WindowMessages = (int)Math.Clamp(window ?? options.WindowMessages, 1, options.WindowMessagesMax),
            WindowBytes = Math.Max(0, windowBytes),
            VolatileQueue = volatileQueue,
            Browses = wanted.Browse,
        };
        _subscriptions.Add(key, subscription);
        _byNumber.Add(subscription.Number, subscription);
        subscription.Regulate();
    }

    /// <summary>One ends; a durable one that is named is deleted.</summary>
    /// <exception cref="StompException">There is none.</exception>
    /// <exception cref="BrokerException">The durable one may not be deleted, or is in use.</exception>
    public void Unsubscribe(in FrameHead frame, StompVersion version)
    {
        string? id = frame.Text("id"u8, version);
        string? durable = SubscriptionResolver.DurableName(frame, version);
        if (id is null && version != StompVersion.V10 && durable is null)
        {
            throw new StompException("the frame has no 'id' header");
        }

        string? key = id ?? KeyOf(frame.Text("destination"u8, version), version);
        bool known = key is not null && _subscriptions.ContainsKey(key);
        if (!known && durable is null)
        {
            throw new StompException($"there is no subscription '{StompException.Shorten(key ?? "")}'");
        }

        if (known)
        {
            End(key!);
        }

        if (durable is not null)
        {
            client.Flush();
            client.DeleteQueue(resolver.DurableQueue(durable), ifUnused: true);
        }
    }

    /// <summary>What is written so far is on its way to the socket.</summary>
    public void BeginFlush()
    {
        _flushing.Clear();
        foreach (StompSubscription subscription in _subscriptions.Values)
        {
            if (subscription.AwaitsFlush)
            {
                subscription.BeginFlush();
                _flushing.Add(subscription);
            }
        }
    }

    /// <summary>The socket has taken it: messages of mode auto are consumed.</summary>
    public void EndFlush()
    {
        foreach (StompSubscription subscription in _flushing)
        {
            if (!subscription.IsOver)
            {
                subscription.EndFlush();
                turns.Enqueue(subscription);
            }
        }

        _flushing.Clear();
    }

    /// <summary>A transaction has ended: what it acknowledged is gone, or is held again.</summary>
    public void EndHeld(Transaction transaction, bool committed)
    {
        foreach (StompSubscription subscription in _subscriptions.Values)
        {
            subscription.Held.End(transaction, committed);
            subscription.Regulate();
            turns.Enqueue(subscription);
        }
    }

    /// <summary>The connection is over. <paramref name="countAttempts"/>: what is unsettled counts as failed.</summary>
    public void EndAll(bool countAttempts)
    {
        foreach (StompSubscription subscription in _subscriptions.Values)
        {
            subscription.End(countAttempts);
        }
    }

    private static AckMode AckModeOf(string? text) => text switch
    {
        null or "auto" => AckMode.Auto,
        "client" => AckMode.Client,
        "client-individual" => AckMode.ClientIndividual,
        _ => throw new StompException("'ack' is auto, client or client-individual"),
    };

    // 1.0: a subscription may also be ended by its destination, whether it has an id or not.
    private string? KeyOf(string? destination, StompVersion version) =>
        destination is null || version != StompVersion.V10 || _subscriptions.ContainsKey(destination)
            ? destination
            : _subscriptions.FirstOrDefault(one => one.Value.Destination == destination).Key ?? destination;

    private void End(string key)
    {
        _subscriptions.Remove(key, out StompSubscription? subscription);
        _byNumber.Remove(subscription!.Number);
        turns.Drop(subscription);
        subscription.End(countAttempts: false);
    }
}
