using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Counting;

/// <summary>
/// What passes by one link. The loop that owns the link is the only one that counts, without locks and without
/// allocation; any thread reads, and may see numbers of slightly different moments.
/// </summary>
internal sealed class LinkCounters
{
    /// <summary>A delivery that is unsettled for longer is stuck; a link without credit for longer is
    /// blocked.</summary>
    public const int StuckMs = 10_000;

    private const int DelayedMs = 1_000;
    private const int RateSeconds = 5;

    // One slot a second; more than the rate looks at, so that none of those is written to.
    private const int Slots = 8;

    private readonly long[] _settled = new long[Slots];
    private readonly long[] _seconds = new long[Slots];
    private long _deliveries;
    private long _presettled;
    private long _droppedPresettled;
    private long _accepted;
    private long _rejected;
    private long _released;
    private long _modified;
    private long _delayed1Sec;
    private long _delayed10Sec;
    private long _stuck;
    private long _ingress;
    private long _egress;
    private long _transit;
    private long _ingressRouteContainer;
    private long _egressRouteContainer;

    /// <summary>When the last delivery began, in milliseconds since the Unix epoch; 0: there was none.</summary>
    public long LastDeliveryMs { get; private set; }

    /// <summary>A delivery begins.</summary>
    public void OnDelivery(long nowMs)
    {
        _deliveries++;
        LastDeliveryMs = nowMs;
    }

    /// <summary>It came from a client of this node.</summary>
    public void OnIngress(bool isRouteContainer)
    {
        _ingress++;
        _ingressRouteContainer += isRouteContainer ? 1 : 0;
    }

    /// <summary>It goes to a destination of this node.</summary>
    public void OnEgress(bool isRouteContainer)
    {
        _egress++;
        _egressRouteContainer += isRouteContainer ? 1 : 0;
    }

    /// <summary>It goes to another router, wherever it came from.</summary>
    public void OnTransit() => _transit++;

    /// <summary>Nobody wants what the sender has settled.</summary>
    public void OnDropped() => _droppedPresettled++;

    /// <summary>The sender had settled it, and it was passed on.</summary>
    public void OnPresettled(long nowMs)
    {
        _presettled++;
        CountRate(nowMs);
    }

    /// <summary>A delivery is settled with an outcome; without one it is not counted.</summary>
    public void OnOutcome(byte[] state, long beganMs, long nowMs)
    {
        if (!CountOutcome(state))
        {
            return;
        }

        long took = nowMs - beganMs;
        if (took > StuckMs)
        {
            _delayed10Sec++;
        }
        else if (took > DelayedMs)
        {
            _delayed1Sec++;
        }

        CountRate(nowMs);
    }

    /// <summary>A message that cannot be read is rejected.</summary>
    public void OnRejected() => _rejected++;

    /// <summary>A delivery is found unsettled for long. Any thread.</summary>
    public void OnStuck() => Interlocked.Increment(ref _stuck);

    /// <summary>Deliveries settled a second, over the last five whole seconds. Any thread.</summary>
    public long RateAt(long nowMs)
    {
        long second = nowMs / 1000;
        long sum = 0;
        for (int i = 0; i < Slots; i++)
        {
            long age = second - Volatile.Read(ref _seconds[i]);
            sum += age is >= 1 and <= RateSeconds ? Volatile.Read(ref _settled[i]) : 0;
        }

        return (sum + (RateSeconds / 2)) / RateSeconds;
    }

    /// <summary>All of it. Any thread.</summary>
    public DeliveryTotals Read() => new()
    {
        Deliveries = _deliveries,
        Presettled = _presettled,
        DroppedPresettled = _droppedPresettled,
        Accepted = _accepted,
        Rejected = _rejected,
        Released = _released,
        Modified = _modified,
        Delayed1Sec = _delayed1Sec,
        Delayed10Sec = _delayed10Sec,
        Stuck = Volatile.Read(ref _stuck),
        Ingress = _ingress,
        Egress = _egress,
        Transit = _transit,
        IngressRouteContainer = _ingressRouteContainer,
        EgressRouteContainer = _egressRouteContainer,
    };

    private bool CountOutcome(byte[] state)
    {
        if (ReferenceEquals(state, RoutedState.Accepted))
        {
            _accepted++;
            return true;
        }

        switch (DeliveryState.KindOf(state))
        {
            case DeliveryStateKind.Accepted:
                _accepted++;
                return true;
            case DeliveryStateKind.Rejected:
                _rejected++;
                return true;
            case DeliveryStateKind.Released:
                _released++;
                return true;
            case DeliveryStateKind.Modified:
                _modified++;
                return true;
            default:
                return false;
        }
    }

    private void CountRate(long nowMs)
    {
        long second = nowMs / 1000;
        int slot = (int)(second % Slots);
        if (_seconds[slot] != second)
        {
            Volatile.Write(ref _settled[slot], 0);
            Volatile.Write(ref _seconds[slot], second);
        }

        _settled[slot]++;
    }
}
