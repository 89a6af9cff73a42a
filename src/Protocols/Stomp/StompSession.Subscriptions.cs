using System.Globalization;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <content>SUBSCRIBE, UNSUBSCRIBE (1.2), durable subscriptions, temporary destinations.</content>
internal sealed partial class StompSession
{
    private readonly Dictionary<string, StompSubscription> _subscriptions = new(StringComparer.Ordinal);
    private readonly Dictionary<int, StompSubscription> _byNumber = [];
    private readonly Dictionary<string, string> _temporaries = new(StringComparer.Ordinal);
    private int _lastSubscription;

    private void OnSubscribe(in FrameHead frame)
    {
        string text = Required(frame, "destination"u8);
        string? id = frame.Text("id"u8, Version);
        if (id is null && Version != StompVersion.V10)
        {
            throw new StompException("the frame has no 'id' header");
        }

        // 1.0: a subscription without an id is known by its destination.
        string key = id ?? text;
        if (_subscriptions.ContainsKey(key))
        {
            throw new StompException($"there is a subscription '{Shorten(key)}' already");
        }

        if (_subscriptions.Count >= Options.SubscriptionsMax)
        {
            throw new StompException($"the connection has {Options.SubscriptionsMax} subscriptions already");
        }

        // Whatever can be refused is refused before something is made.
        AckMode mode = AckModeOf(frame.Text("ack"u8, Version));
        Destination destination =
            Destination.Parse(text, Options, Destination.TypeOf(frame.Text("subscription-type"u8, Version)));
        StreamReading? stream = destination.IsTemporary
            ? null
            : StreamSubscription.Read(
                Client, destination, frame.Text("x-stream-offset"u8, Version), frame.Text("x-stream-group"u8, Version));
        if (DurableName(frame) is not null && (stream is not null || destination.IsTemporary))
        {
            throw OnlyTopics();
        }

        (string queue, bool isVolatile) = stream is null
            ? Resolve(frame, text, destination) : (stream.Stream, false);
        var options = new ConsumerOptions
        {
            Queue = queue,
            Stream = stream,
            Selector = isVolatile || DurableName(frame) is not null ? null : frame.Text("selector"u8, Version),
            NoLocal = IsTrue(frame, "no-local"u8) || IsTrue(frame, "activemq.noLocal"u8),
            Browse = stream is null && IsTrue(frame, "browser"u8),
            Exclusive = IsTrue(frame, "exclusive"u8),
            TakesAll = IsTrue(frame, "activemq.exclusive"u8),
            Priority = (int)(NumberOf(frame, "consumer-priority"u8) ?? NumberOf(frame, "activemq.priority"u8) ?? 0),
            Name = key,
            Format = PayloadFormat.Stomp,
        };
        Subscribe(frame, options, mode, id, text, isVolatile ? queue : null);
        Confirm();
    }

    private void Subscribe(
        in FrameHead frame, ConsumerOptions options, AckMode mode, string? id, string text, string? volatileQueue)
    {
        long? window = NumberOf(frame, "activemq.prefetchSize"u8) ?? NumberOf(frame, "prefetch-count"u8);
        Consumer consumer = Client.OpenConsumer(options);
        var subscription = new StompSubscription(Client, consumer, ++_lastSubscription, id, Version)
        {
            Destination = text,
            PatternPrefix = Destination.Parse(text, Options).PatternPrefixOf(text),
            AckMode = mode,
            WindowMessages = (int)Math.Clamp(window ?? Options.WindowMessages, 1, Options.WindowMessagesMax),
            WindowBytes = Math.Max(0, NumberOf(frame, "consumer-window-size"u8) ?? 0),
            VolatileQueue = volatileQueue,
            Browses = options.Browse,
        };
        _subscriptions.Add(options.Name, subscription);
        _byNumber.Add(subscription.Number, subscription);
        subscription.Regulate();
    }

    private void OnUnsubscribe(in FrameHead frame)
    {
        string? id = frame.Text("id"u8, Version);
        string? durable = DurableName(frame);
        if (id is null && Version != StompVersion.V10 && durable is null)
        {
            throw new StompException("the frame has no 'id' header");
        }

        string? key = id ?? KeyOf(frame.Text("destination"u8, Version));
        bool known = key is not null && _subscriptions.ContainsKey(key);
        if (!known && durable is null)
        {
            throw new StompException($"there is no subscription '{Shorten(key ?? "")}'");
        }

        if (known)
        {
            EndSubscription(key!);
        }

        if (durable is not null)
        {
            Client.Flush();
            Client.DeleteQueue(DurableQueue(durable), ifUnused: true);
        }

        Confirm();
    }

    // 1.0: a subscription may also be ended by its destination, whether it has an id or not.
    private string? KeyOf(string? destination) =>
        destination is null || Version != StompVersion.V10 || _subscriptions.ContainsKey(destination)
            ? destination
            : _subscriptions.FirstOrDefault(one => one.Value.Destination == destination).Key ?? destination;

    private void EndSubscription(string key)
    {
        _subscriptions.Remove(key, out StompSubscription? subscription);
        _byNumber.Remove(subscription!.Number);
        // A large message in the middle of which it ends goes on to its end: half a frame would be none.
        if (_outgoing?.Subscription == subscription && !_outgoing.IsBegun && !_outgoing.IsReading)
        {
            _outgoing.Dispose();
            _outgoing = null;
        }

        subscription.End(countAttempts: false);
    }

    private static AckMode AckModeOf(string? text) => text switch
    {
        null or "auto" => AckMode.Auto,
        "client" => AckMode.Client,
        "client-individual" => AckMode.ClientIndividual,
        _ => throw new StompException("'ack' is auto, client or client-individual"),
    };

    private static StompException OnlyTopics() => new("a durable subscription is one to a topic");

    // The queue to consume from, and whether it goes with the subscription.
    private (string Queue, bool IsVolatile) Resolve(in FrameHead frame, string text, in Destination destination)
    {
        if (destination.IsTemporary)
        {
            return (Temporary(text, destination), false);
        }

        string? durable = DurableName(frame);
        bool isTopic = destination.Name.Queue is null
            && (destination.RoutingType ?? Client.RoutingTypeOf(destination.Name.Address)) == RoutingType.Multicast;
        if (!isTopic && durable is not null)
        {
            throw OnlyTopics();
        }

        if (!isTopic)
        {
            RoutingType? type = destination.Name.Queue is null ? RoutingType.Anycast : destination.RoutingType;
            return (Client.ResolveQueue(destination.Name, type), false);
        }

        if (Client.FindAddress(destination.Name.Address) is { Anycast: true, Multicast: false })
        {
            throw new StompException($"'{destination.Name.Address}' is a queue, and the frame asks for a topic");
        }

        return (SubscribeTopic(frame, destination.Name.Address, durable), durable is null);
    }

    private string SubscribeTopic(in FrameHead frame, string address, string? durable)
    {
        bool noLocal = IsTrue(frame, "no-local"u8) || IsTrue(frame, "activemq.noLocal"u8);
        var config = new QueueConfig
        {
            Name = durable is null ? $"temp.{RandomName()}{RandomName()}" : DurableQueue(durable),
            Address = address,
            RoutingType = RoutingType.Multicast,
            Durable = durable is not null,
            Temporary = durable is null,
            DeleteOnNoConsumers = durable is null,
            ConsumersMax = 1,
            Filter = frame.Text("selector"u8, Version),
            NotFrom = noLocal ? Client.Info.ClientId : null,
            AutoCreated = true,
            Owner = Client.Info.Identity.Name,
        };
        QueueConfig? existing = durable is null ? null : Client.FindQueue(config.Name);
        bool same = existing is not null && existing.Address == config.Address && existing.Filter == config.Filter
            && existing.NotFrom == config.NotFrom;
        if (existing is not null && !same)
        {
            // Another address or selector under the same name makes a new subscription, as with JMS.
            Client.DeleteQueue(config.Name, ifUnused: true);
        }

        if (!same)
        {
            Client.CreateQueue(config);
        }

        return config.Name;
    }

    private string? DurableName(in FrameHead frame) =>
        frame.Text("durable-subscription-name"u8, Version)
        ?? frame.Text("durable-subscriber-name"u8, Version)
        ?? frame.Text("activemq.subscriptionName"u8, Version);

    private string DurableQueue(string name)
    {
        if (string.IsNullOrEmpty(_login.ClientId))
        {
            throw new StompException("a durable subscription needs a 'client-id' header in CONNECT");
        }

        return $"{_login.ClientId}.{name}";
    }

    // The address behind the client's own name for a temporary destination; made when it is first named.
    private string Temporary(string text, in Destination destination)
    {
        if (_temporaries.TryGetValue(text, out string? name))
        {
            return name;
        }

        if (_temporaries.Count >= Options.TemporariesMax)
        {
            throw new StompException($"the connection has {Options.TemporariesMax} temporary destinations already");
        }

        name = $"temp.{RandomName()}{RandomName()}";
        Client.CreateQueue(new QueueConfig
        {
            Name = name,
            Address = name,
            RoutingType = destination.RoutingType ?? RoutingType.Anycast,
            Durable = false,
            Temporary = true,
            AutoCreated = true,
        });
        _temporaries.Add(text, name);
        return name;
    }

    // What others write to reach it.
    private static string ShownName(in Destination destination, string address) =>
        (destination.RoutingType == RoutingType.Multicast ? "/topic/" : "/queue/") + address;

    // A reply-to that names a temporary destination is told by the name that others can use.
    private string Shown(string replyTo)
    {
        foreach (string prefix in Options.TemporaryPrefixes)
        {
            if (replyTo.StartsWith(prefix, StringComparison.Ordinal))
            {
                Destination destination = Destination.Parse(replyTo, Options);
                return ShownName(destination, Temporary(replyTo, destination));
            }
        }

        return replyTo;
    }

    private bool IsTrue(in FrameHead frame, ReadOnlySpan<byte> name) => frame.Text(name, Version) == "true";

    private long? NumberOf(in FrameHead frame, ReadOnlySpan<byte> name) =>
        frame.Text(name, Version) is not { } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? Math.Clamp(number, int.MinValue, int.MaxValue)
            : throw new StompException($"'{System.Text.Encoding.ASCII.GetString(name)}' is no number");
}
