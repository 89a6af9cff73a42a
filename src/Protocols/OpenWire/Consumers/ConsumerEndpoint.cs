using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>One queue that a consumer takes from.</summary>
internal sealed class Inlet(ConsumerEndpoint endpoint, Consumer consumer, DestinationName name)
{
    public ConsumerEndpoint Endpoint { get; } = endpoint;

    public Consumer Consumer { get; } = consumer;

    /// <summary>The destination that led to the queue.</summary>
    public DestinationName Name { get; } = name;

    /// <summary>Messages that the broker may still deliver.</summary>
    public int Granted { get; set; }

    /// <summary>The broker was asked for its grants back.</summary>
    public bool IsDraining { get; set; }

    /// <summary>A browser has seen everything here.</summary>
    public bool IsExhausted { get; set; }
}

/// <summary>
/// A consumer of the client: what it was sent, how much more it takes, what waits to be written. The broker gets a
/// bounded part of the prefetch, so a slow peer costs bounded memory.
/// </summary>
internal sealed class ConsumerEndpoint(ConsumerInfo info, OpenWireOptions options)
{
    private readonly Queue<Delivery> _pending = new();
    private readonly Queue<Message> _advisories = new();

    // Who looks does not ask for each message.
    private int _prefetch = Math.Clamp(info.PrefetchSize, info.Browser ? 1 : 0, options.UnacknowledgedMax);

    public ConsumerInfo Info { get; } = info;

    public List<Inlet> Inlets { get; } = [];

    /// <summary>Wildcards of queues: each queue that comes to match is one more inlet.</summary>
    public List<QueueWatch> Watches { get; } = [];

    public UnackedList Unacked { get; } = new();

    /// <summary>What it is told without the broker; null: it is no consumer of advisories.</summary>
    public AdvisoryListener? Listener { get; set; }

    public IReadOnlyList<AdvisoryFact> Facts { get; set; } = [];

    /// <summary>Messages that the client still has room for.</summary>
    public int Room { get; private set; } =
        Math.Clamp(info.PrefetchSize, info.Browser ? 1 : 0, options.UnacknowledgedMax);

    /// <summary>Without prefetch each message is asked for.</summary>
    public bool IsPulling => _prefetch == 0 && !Info.Browser;

    /// <summary>When a wait for a message is over, by the steady clock; the highest number: there is none.</summary>
    public long PullDeadlineMs { get; set; } = long.MaxValue;

    /// <summary>The client is to be told that there is no message (more).</summary>
    public bool OwesEnd { get; set; }

    /// <summary>In the connection's list of consumers that may write.</summary>
    public bool IsQueued { get; set; }

    /// <summary>The connection reads from disk for it.</summary>
    public bool IsReading { get; set; }

    public bool IsClosed { get; set; }

    /// <summary>Messages that wait to be written.</summary>
    public int PendingCount => _pending.Count;

    public bool HasWork => !IsClosed && !IsReading
        && ((Room > 0 && _pending.Count > 0) || (OwesEnd && _pending.Count == 0) || _advisories.Count > 0);

    public Delivery NextDelivery => _pending.Peek();

    public void OnDelivery(in Delivery delivery, Inlet inlet)
    {
        inlet.Granted--;
        _pending.Enqueue(delivery);
        PullDeadlineMs = long.MaxValue;
    }

    /// <summary>A queue has gone, with what it has delivered and is not written; what is being read still goes
    /// out.</summary>
    public void Forget(Inlet inlet)
    {
        Inlets.Remove(inlet);
        for (int i = 0, count = _pending.Count; i < count; i++)
        {
            Delivery delivery = _pending.Dequeue();
            if (delivery.Consumer != inlet.Consumer || (i == 0 && IsReading))
            {
                _pending.Enqueue(delivery);
            }
        }
    }

    /// <summary>The next one is on its way to the client.</summary>
    public void TakeDelivery()
    {
        _pending.Dequeue();
        Room--;
    }

    /// <summary>The next one cannot be sent: it takes no room.</summary>
    public void DropDelivery() => _pending.Dequeue();

    public void Queue(Message advisory) => _advisories.Enqueue(advisory);

    public int AdvisoryCount => _advisories.Count;

    public bool TryTakeAdvisory(out Message? advisory) => _advisories.TryDequeue(out advisory);

    /// <summary>The client has room for so many more.</summary>
    public void GiveRoom(int messages) => Room = Math.Min(Room + messages, options.UnacknowledgedMax);

    /// <summary>The client has another prefetch from now on.</summary>
    public void SetPrefetch(int prefetch)
    {
        int wanted = Math.Clamp(prefetch, Info.Browser ? 1 : 0, options.UnacknowledgedMax);
        // Without prefetch room is what was asked for, whatever the client has not acknowledged yet.
        Room = wanted == 0 ? 0 : Room + wanted - _prefetch;
        _prefetch = wanted;
    }

    /// <summary>Brings the broker's credit in line with the client's room.</summary>
    public void Regulate(BrokerClient client)
    {
        foreach (Inlet inlet in Inlets)
        {
            if (inlet.IsDraining || inlet.IsExhausted)
            {
                continue;
            }

            int bound = Math.Min(Room, options.ConsumerAheadMax);
            int wanted = bound - _pending.Count - inlet.Granted;
            if (wanted > 0 && (wanted >= bound / 4 || inlet.Granted == 0))
            {
                inlet.Granted += wanted;
                client.Grant(inlet.Consumer, wanted);
            }

            if (Info.Browser && inlet.Granted > 0)
            {
                Drain(client, inlet);
            }
        }
    }

    /// <summary>Asks the broker for its grants back: the answer tells that there is nothing more.</summary>
    public void DrainAll(BrokerClient client)
    {
        if (Inlets.Count == 0)
        {
            // No queue matches yet.
            EndWait();
        }

        foreach (Inlet inlet in Inlets)
        {
            if (!inlet.IsDraining)
            {
                Drain(client, inlet);
            }
        }
    }

    /// <summary>The broker has nothing more now, and took back what it was granted.</summary>
    public void OnDrained(BrokerClient client, Inlet inlet, int unused)
    {
        inlet.IsDraining = false;
        inlet.Granted -= unused;
        if (Info.Browser)
        {
            inlet.IsExhausted |= unused > 0;
            OwesEnd |= Inlets.TrueForAll(one => one.IsExhausted);
            Regulate(client);
            return;
        }

        // Without room the client has its message already, from another queue.
        if (IsPulling && Room > 0 && unused > 0 && _pending.Count == 0 && Inlets.TrueForAll(one => !one.IsDraining))
        {
            EndWait();
        }
    }

    // Without a message.
    private void EndWait()
    {
        PullDeadlineMs = long.MaxValue;
        Room = 0;
        OwesEnd = true;
    }

    private static void Drain(BrokerClient client, Inlet inlet)
    {
        inlet.IsDraining = true;
        client.Drain(inlet.Consumer);
    }
}
