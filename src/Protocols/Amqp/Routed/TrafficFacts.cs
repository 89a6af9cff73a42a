using System.Collections.Concurrent;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>A connection at one moment, for views.</summary>
public sealed record ConnectionFacts
{
    /// <summary>Counts the connections of the node.</summary>
    public required long Id { get; init; }

    /// <summary>The peer's container id, empty before its open.</summary>
    public required string Container { get; init; }

    public required string RemoteEndPoint { get; init; }

    public required ConnectionPlan Plan { get; init; }

    /// <summary>Both opens were exchanged.</summary>
    public bool IsOpened { get; init; }

    /// <summary>The user's name; null: nobody logged in.</summary>
    public string? User { get; init; }

    /// <summary>The SASL mechanism that the peer took, or null.</summary>
    public string? SaslMechanism { get; init; }

    public bool IsEncrypted { get; init; }

    /// <summary>The version of TLS, e.g. <c>TLSv1.3</c>; null: it is not encrypted.</summary>
    public string? TlsProtocol { get; init; }

    /// <summary>The name of its cipher suite; null: nobody knows.</summary>
    public string? TlsCipher { get; init; }

    /// <summary>The strength of the cipher's key in bits; 0: nobody knows.</summary>
    public int TlsBits { get; init; }

    /// <summary>The virtual host that its addresses are within; null: they are the network's.</summary>
    public string? Tenant { get; init; }

    /// <summary>When it was made, in milliseconds since the Unix epoch.</summary>
    public long SinceUnixMs { get; init; }

    /// <summary>The properties in the peer's open.</summary>
    public AmqpMap? Properties { get; init; }
}

/// <summary>What a link is for.</summary>
public enum RoutedLinkKind
{
    /// <summary>Messages of a client, a broker or an edge.</summary>
    Endpoint,

    /// <summary>What routers tell each other of the network.</summary>
    Control,

    /// <summary>Messages between routers.</summary>
    Router,

    /// <summary>Messages for whoever is behind an edge.</summary>
    Downlink,
}

/// <summary>A link through the network at one moment, for views.</summary>
public sealed record LinkFacts
{
    /// <summary>Counts such links of the node.</summary>
    public required long Id { get; init; }

    public required string Name { get; init; }

    /// <summary>Of its connection: <see cref="ConnectionFacts.Id"/>.</summary>
    public required long ConnectionId { get; init; }

    /// <summary>Whether messages come by it, and not go.</summary>
    public required bool IsIncoming { get; init; }

    /// <summary>Whether another router is at its other end.</summary>
    public bool IsTrunk { get; init; }

    /// <summary>What it is for.</summary>
    public RoutedLinkKind Kind { get; init; }

    /// <summary>Of a link that goes through the node as a whole, the number of its other half; null: it is none, or
    /// that is not there.</summary>
    public long? OtherHalf { get; init; }

    /// <summary>Whether it is one half of a link that goes through the node as a whole.</summary>
    public bool IsHalf { get; init; }

    /// <summary>Its address as routers carry it; null: each message has its own.</summary>
    public string? Address { get; init; }

    public int Capacity { get; init; }

    public long Credit { get; init; }

    /// <summary>Which of the links between routers it is.</summary>
    public int Priority { get; init; }

    /// <summary>Deliveries since the attach.</summary>
    public DeliveryTotals Totals { get; init; }

    /// <summary>Deliveries settled a second, lately.</summary>
    public long SettleRate { get; init; }

    /// <summary>When the last one began, in milliseconds since the Unix epoch; 0: there was none.</summary>
    public long LastDeliveryMs { get; init; }

    /// <summary>For how many milliseconds the receiver has given no credit; 0: it gives some.</summary>
    public long ZeroCreditMs { get; init; }

    /// <summary>Whether the receiver has given none for long.</summary>
    public bool IsBlocked => ZeroCreditMs > LinkCounters.StuckMs;

    /// <summary>Deliveries that have come to their end, by the bit of the router where they entered the
    /// network.</summary>
    public IReadOnlyList<long> IngressHistogram { get; init; } = [];

    /// <summary>Deliveries that wait for credit.</summary>
    public long Undelivered { get; init; }

    /// <summary>Deliveries that are handed over and not settled.</summary>
    public long Unsettled { get; init; }
}

/// <summary>The connections and routed links of a node at one moment.</summary>
public sealed record TrafficFacts(IReadOnlyList<ConnectionFacts> Connections, IReadOnlyList<LinkFacts> Links)
{
    public static readonly TrafficFacts None = new([], []);

    /// <summary>What all links that bring messages have passed on, those that are gone among them.</summary>
    public DeliveryTotals Totals { get; init; }
}

/// <summary>A link that can tell of itself. Any thread: what it tells may be of slightly different moments.</summary>
internal interface IRoutedLink
{
    /// <summary>Where its loop takes what others hand over.</summary>
    RoutedInbox Inbox { get; }

    /// <summary>What passes by it.</summary>
    LinkCounters Counters { get; }

    /// <summary>Whether messages come by it.</summary>
    bool IsIncoming { get; }

    /// <summary>Whether what passes by it are the deliveries of clients.</summary>
    bool IsTraffic => true;

    /// <summary>Whether something of it is unsettled.</summary>
    bool IsWorthInspecting { get; }

    /// <summary>Looks for what is unsettled for long. On its loop.</summary>
    void Inspect();

    LinkFacts Describe(long id, long nowMs);
}

/// <summary>The routed links of a node. Any thread.</summary>
internal sealed class RoutedLinkTable
{
    private readonly ConcurrentDictionary<long, IRoutedLink> _links = new();
    private readonly Lock _gate = new();
    private DeliveryTotals _gone;
    private long _last;

    public long Add(IRoutedLink link)
    {
        long id = Interlocked.Increment(ref _last);
        _links[id] = link;
        return id;
    }

    /// <summary>A link is gone: what it passed on stays in <see cref="Totals"/>.</summary>
    public void Remove(long id)
    {
        lock (_gate)
        {
            if (_links.TryRemove(id, out IRoutedLink? link) && link is { IsIncoming: true, IsTraffic: true })
            {
                _gone += link.Counters.Read();
            }
        }
    }

    /// <summary>All of them, oldest first.</summary>
    /// <param name="nowMs">In milliseconds since the Unix epoch.</param>
    public IReadOnlyList<LinkFacts> Describe(long nowMs) =>
        [.. _links.OrderBy(l => l.Key).Select(l => l.Value.Describe(l.Key, nowMs))];

    /// <summary>What all links that bring messages have passed on since the start.</summary>
    public DeliveryTotals Totals()
    {
        lock (_gate)
        {
            DeliveryTotals sum = _gone;
            foreach ((_, IRoutedLink link) in _links)
            {
                if (link is { IsIncoming: true, IsTraffic: true })
                {
                    sum += link.Counters.Read();
                }
            }

            return sum;
        }
    }

    /// <summary>Asks every link to look for what is unsettled for long.</summary>
    public void Inspect()
    {
        foreach ((_, IRoutedLink link) in _links)
        {
            if (link.IsWorthInspecting)
            {
                link.Inbox.Post(new RoutedEvent(RoutedEventKind.Inspect, link));
                link.Inbox.Wake();
            }
        }
    }
}
