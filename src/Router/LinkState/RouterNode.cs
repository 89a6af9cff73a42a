using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>Another router, as far as it is known. Owned by the engine.</summary>
internal sealed class RouterNode(string id, int index)
{
    public string Id { get; } = id;

    /// <summary>Its bit: 1 to 127.</summary>
    public int Index { get; } = index;

    /// <summary>False: others named it, itself it said nothing yet.</summary>
    public bool HasSpoken { get; set; }

    /// <summary>When it started; null: not known.</summary>
    public long? Instance { get; set; }

    /// <summary>The control link on which it is a neighbour; null: it is none.</summary>
    public ControlLink? Link { get; set; }

    public ImmutableArray<PeerCost> Peers { get; set; } = [];

    public long LsSeq { get; set; }

    /// <summary>When <see cref="LsSeq"/> was learnt.</summary>
    public long LsSeqMs { get; set; }

    /// <summary>When it advertised itself last, or sent its link state.</summary>
    public long LastSeenMs { get; set; }

    /// <summary>Ticks in which nobody named it.</summary>
    public int UnlistedTicks { get; set; }

    /// <summary>The latest advertisement, and when a copy of it was passed on.</summary>
    public AdvertisementRecord Advertised { get; set; }

    /// <summary>Asks for its link state.</summary>
    public RequestTimer LinkStateRequest { get; } = new();

    /// <summary>Asks for its addresses.</summary>
    public RequestTimer AddressRequest { get; } = new();

    /// <summary>Number of the addresses that are known of it.</summary>
    public long MobileSeq { get; set; }

    /// <summary>A number of addresses that was refused, not to be asked for again; -1: none.</summary>
    public long MobileSeqRefused { get; set; } = -1;

    /// <summary>Its addresses have to be learnt anew, whatever their number.</summary>
    public bool AddressesDoubtful { get; set; }

    /// <summary>When it was last told this router's link state, and which.</summary>
    public (long Ms, long LsSeq) LinkStateTold { get; set; } = (long.MinValue / 2, -1);

    /// <summary>When it was last told this router's addresses, and which.</summary>
    public (long Ms, long MobileSeq) AddressesTold { get; set; } = (long.MinValue / 2, -1);

    /// <summary>The neighbour on the way to it; null: unreachable.</summary>
    public RouterNode? NextHop { get; set; }

    public long Cost { get; set; }

    public UInt128 ValidOrigins { get; set; } = UInt128.One;

    public UInt128 Bit => UInt128.One << Index;

    /// <summary>The link that brought its latest advertisement first; null: none did.</summary>
    public int? HeardLink { get; set; }
}

/// <summary>What a router advertised last.</summary>
/// <param name="LsSeq">Number of its link state.</param>
/// <param name="MobileSeq">Number of its addresses.</param>
/// <param name="HeardMs">When.</param>
/// <param name="PassedMs">When a copy was passed on.</param>
/// <param name="PassedHops">By how many routers that copy had come.</param>
internal readonly record struct AdvertisementRecord(
    long LsSeq, long MobileSeq, long HeardMs, long PassedMs, int PassedHops);

/// <summary>
/// When to ask, and to ask again while no answer comes: often at first, while routers still learn the ways, and each
/// eight seconds in the end.
/// </summary>
internal sealed class RequestTimer
{
    private static readonly int[] RetriesMs =
        [300, 300, 300, 300, 500, 500, 500, 500, 1000, 1000, 1000, 2000, 4000, 8000];

    /// <summary>A new way is tried when the last question is so old.</summary>
    private const int HastenMs = 150;

    private long _askedMs = long.MinValue / 2;

    /// <summary>When to ask next; <see cref="long.MaxValue"/>: not at all.</summary>
    public long DueMs { get; private set; } = long.MaxValue;

    /// <summary>How often it was asked since the last news.</summary>
    public int Repetition { get; private set; }

    public bool IsWanted => DueMs != long.MaxValue;

    /// <summary>Ask at this time, unless a question is out already.</summary>
    public void Want(long atMs)
    {
        if (!IsWanted)
        {
            DueMs = atMs;
        }
    }

    /// <summary>Ask at this time, even if a question is out: there is news.</summary>
    public void WantAnew(long atMs)
    {
        Repetition = 0;
        DueMs = Math.Min(DueMs, atMs);
    }

    /// <summary>There is another way to ask: the last question may have been lost.</summary>
    public void Hasten(long nowMs)
    {
        if (IsWanted)
        {
            DueMs = Math.Min(DueMs, Math.Max(nowMs, _askedMs + HastenMs));
        }
    }

    public void Asked(long nowMs)
    {
        _askedMs = nowMs;
        DueMs = nowMs + RetriesMs[Math.Min(Repetition, RetriesMs.Length - 1)];
        Repetition = (Repetition + 1) & int.MaxValue;
    }

    public void Answered()
    {
        Repetition = 0;
        DueMs = long.MaxValue;
    }
}

/// <summary>A control link to a neighbour. Owned by the engine.</summary>
internal sealed class ControlLink(int id, int cost)
{
    public int Id { get; } = id;

    /// <summary>The larger of what both ends say.</summary>
    public int Cost { get; set; } = cost;

    /// <summary>The router at the other end; null: it has not said HELLO yet.</summary>
    public string? Neighbor { get; set; }

    /// <summary>When its last HELLO came.</summary>
    public long HeardMs { get; set; } = long.MinValue / 2;

    /// <summary>When its last HELLO that names this router came.</summary>
    public long ConfirmedMs { get; set; } = long.MinValue / 2;
}
