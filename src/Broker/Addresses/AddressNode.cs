using System.Text;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;

namespace Pillarbox.Broker.Addresses;

/// <summary>An address: its route is swapped whole, so producers read it without a lock.</summary>
internal sealed class AddressNode(string name, EffectiveSettings settings, AddressSpace space)
{
    private Route _route = Route.Empty;
    private long _routed;
    private long _unrouted;
    private int _producers;
    private RecordStream? _stream;
    private long _streamVersion = -1;

    public string Name { get; } = name;

    public byte[] NameUtf8 { get; } = Encoding.UTF8.GetBytes(name);

    public EffectiveSettings Settings { get; } = settings;

    /// <summary>Routing types that it was made for. Under the space's lock.</summary>
    public bool IsAnycast { get; set; }

    public bool IsMulticast { get; set; }

    public bool IsDeleted { get; set; }

    /// <summary>It was told as a topic to who wants to know. Under the space's lock.</summary>
    public bool IsShown { get; set; }

    /// <summary>Goes with its last queue, and is not journaled.</summary>
    public bool IsTemporary { get; set; }

    /// <summary>The stream of its name; null when there is none. Any thread.</summary>
    public RecordStream? StreamIn(StreamCatalog catalog)
    {
        // The version is read first: what changes meanwhile is seen with the next look.
        long version = catalog.Version;
        if (Volatile.Read(ref _streamVersion) != version)
        {
            Volatile.Write(ref _stream, catalog.FindPublic(Name));
            Volatile.Write(ref _streamVersion, version);
        }

        return Volatile.Read(ref _stream);
    }

    /// <summary>Stands for a name that is no address of the space: only what is bound by patterns takes its
    /// messages.</summary>
    public bool IsLoose { get; init; }

    /// <summary>The queues of this very address. Under the space's lock.</summary>
    public List<Queue> Bound { get; } = [];

    /// <summary>Whether queues have this address. Any thread.</summary>
    public bool HasBound => Bound.Count > 0;

    /// <summary>Where messages go now. Any thread.</summary>
    public Route Route
    {
        get
        {
            Route route = Volatile.Read(ref _route);
            return route.Version == space.Version ? route : space.FindRoute(this);
        }
    }

    public long RoutedTotal => Volatile.Read(ref _routed);

    public long UnroutedTotal => Volatile.Read(ref _unrouted);

    /// <summary>Producers that are open on it.</summary>
    public int Producers => Volatile.Read(ref _producers);

    public void CountProducer(int change) => Interlocked.Add(ref _producers, change);

    public void CountRouted(long messages) => Interlocked.Add(ref _routed, messages);

    public void CountUnrouted(long messages) => Interlocked.Add(ref _unrouted, messages);

    /// <summary>Whether its queues hold as much as they may.</summary>
    public bool IsFull
    {
        get
        {
            long bytesMax = Settings.MaxSizeBytes;
            long messagesMax = Settings.MaxSizeMessages;
            if (bytesMax < 0 && messagesMax < 0)
            {
                return false;
            }

            (long bytes, long messages) = Route.Sizes();
            return (bytesMax >= 0 && bytes >= bytesMax) || (messagesMax >= 0 && messages >= messagesMax);
        }
    }

    /// <summary>Keeps a route until something in the space changes. Under the space's lock.</summary>
    public Route Keep(Route route)
    {
        Volatile.Write(ref _route, route);
        return route;
    }

    public void AddType(RoutingType type)
    {
        IsAnycast |= type == RoutingType.Anycast;
        IsMulticast |= type == RoutingType.Multicast;
    }
}

/// <summary>The queues that an address feeds. Immutable.</summary>
internal sealed record Route(Queue[] Anycast, Queue[] Multicast)
{
    public static readonly Route Empty = new([], []);

    /// <summary>The state of the address space that it belongs to.</summary>
    public long Version { get; init; } = -1;

    /// <summary>Where a message goes that the address's stream has taken: not to those who read it there; null: that
    /// is the same.</summary>
    public Route? Kept { get; init; }

    private Route? _anycastOnly;
    private Route? _multicastOnly;

    /// <summary>The part of one routing type; null: all of it.</summary>
    public Route Only(RoutingType? type)
    {
        if (type is null || (type == RoutingType.Anycast ? Multicast : Anycast).Length == 0)
        {
            return this;
        }

        return type == RoutingType.Anycast
            ? _anycastOnly ??= new Route(Anycast, [])
            : _multicastOnly ??= new Route([], Multicast);
    }

    /// <summary>Ids of the durable ones among the multicast queues.</summary>
    public long[] DurableMulticastIds { get; } = IdsOf(Multicast);

    /// <summary>Whether a queue takes only some messages.</summary>
    public bool HasFilters { get; } = Array.Exists(Anycast, q => q.IsSelective)
        || Array.Exists(Multicast, q => q.IsSelective);

    public static long[] IdsOf(Queue[] queues) => [.. queues.Where(queue => queue.IsDurable).Select(queue => queue.Id)];

    public (long Bytes, long Messages) Sizes()
    {
        long bytes = 0;
        long messages = 0;
        foreach (Queue queue in Anycast)
        {
            bytes += Volatile.Read(ref queue.Counters.Bytes);
            messages += Volatile.Read(ref queue.Counters.Messages);
        }

        foreach (Queue queue in Multicast)
        {
            bytes += Volatile.Read(ref queue.Counters.Bytes);
            messages += Volatile.Read(ref queue.Counters.Messages);
        }

        return (bytes, messages);
    }

    /// <summary>The anycast queue for one message: in turn, those first whose consumers wait.</summary>
    public Queue PickAnycast(int turn)
    {
        if (Anycast.Length == 1)
        {
            return Anycast[0];
        }

        for (int i = 0; i < Anycast.Length; i++)
        {
            Queue queue = Anycast[(int)((uint)(turn + i) % (uint)Anycast.Length)];
            if (queue.HasCredit)
            {
                return queue;
            }
        }

        return Anycast[(int)((uint)turn % (uint)Anycast.Length)];
    }
}
