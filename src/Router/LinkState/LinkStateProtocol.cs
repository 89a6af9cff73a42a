namespace Pillarbox.Router.LinkState;

/// <summary>
/// Keeps the link states of all routers: advertises this router's numbers (RA), asks those whose number is ahead of
/// what is known (LSR), and answers (LSU). Owned by the engine.
/// </summary>
internal sealed class LinkStateProtocol(
    RouterOptions options, RouterTable table, ControlRouting routing, MobileAddressProtocol mobile)
{
    /// <summary>
    /// Numbers that go back within this time are of a message that was overtaken; later they mean a restart.
    /// </summary>
    private const int OvertakenMs = 3000;

    /// <summary>The same advertisement is passed on again after so long.</summary>
    private const int RepeatMs = 500;

    /// <summary>Between two advertisements that changes ask for.</summary>
    private const int AdvertisementSpacingMs = 100;

    /// <summary>Between two answers of the same link state to one router.</summary>
    private const int AnswerSpacingMs = 250;

    private long _advertisedMs = long.MinValue / 2;
    private bool _advertisementWanted;

    /// <summary>When the topology changed last.</summary>
    public long TopologyChangedMs { get; private set; } = long.MinValue / 2;

    /// <summary>When <see cref="Advertise"/> has something to do.</summary>
    public long DueMs(long nowMs) => _advertisementWanted
        ? _advertisedMs + AdvertisementSpacingMs
        : _advertisedMs + IntervalMs(nowMs);

    public void NoteTopologyChange(long nowMs) => TopologyChangedMs = nowMs;

    /// <summary>This router's numbers changed: others should know soon.</summary>
    public void WantAdvertisement() => _advertisementWanted = true;

    /// <summary>Sends an RA when it is time.</summary>
    public void Advertise(long nowMs)
    {
        if (nowMs < DueMs(nowMs))
        {
            return;
        }
        _advertisementWanted = false;
        bool isHeard = routing.Flood(ControlService.Router, OwnAdvertisement());
        _advertisedMs = isHeard ? nowMs : nowMs - AdvertisementSpacingMs;
    }

    /// <summary>Asks those routers whose link state is wanted and that can be reached.</summary>
    public void Ask(long nowMs)
    {
        foreach (RouterNode node in table.Nodes)
        {
            RequestTimer timer = node.LinkStateRequest;
            if (timer.DueMs <= nowMs
                && routing.Ask(node, ControlService.Router, new LinkStateRequest(options.Id), timer.Repetition))
            {
                timer.Asked(nowMs);
            }
        }
    }

    /// <summary>True: it is news, to be passed on.</summary>
    public bool OnAdvertisement(RouterAdvertisement ra, int fromLink, int hops, long nowMs)
    {
        if (table.Learn(ra.Id, speaks: true, nowMs) is not { } node || IsOvertaken(node, ra, nowMs))
        {
            return false;
        }
        AdvertisementRecord last = node.Advertised;
        bool isNew = last.LsSeq != ra.LsSeq || last.MobileSeq != ra.MobileSeq
            || nowMs - last.PassedMs >= RepeatMs || hops < last.PassedHops || last == default;
        node.LastSeenMs = nowMs;
        node.HeardLink = isNew ? fromLink : node.HeardLink;
        node.Advertised = isNew
            ? new AdvertisementRecord(ra.LsSeq, ra.MobileSeq, nowMs, nowMs, hops)
            : last with { HeardMs = nowMs };
        NoteLinkStateNumber(node, ra, isNew, nowMs);
        MobileAddressProtocol.OnAdvertised(node, ra.MobileSeq, nowMs);
        return isNew;
    }

    public void OnUpdate(LinkStateUpdate update, long nowMs)
    {
        if (table.Learn(update.Id, speaks: true, nowMs) is not { } node
            || !AcceptsInstance(node, update.Instance, nowMs))
        {
            return;
        }
        if (update.LsSeq > node.LsSeq)
        {
            node.Peers = update.Peers;
            node.LsSeq = update.LsSeq;
            node.LsSeqMs = nowMs;
            node.LastSeenMs = nowMs;
            table.IsTopologyStale = true;
            foreach (PeerCost peer in update.Peers)
            {
                table.Learn(peer.Id, speaks: false, nowMs);
            }
        }
        if (node.LsSeq >= node.Advertised.LsSeq)
        {
            node.LinkStateRequest.Answered();
        }
    }

    /// <summary>
    /// Answers with the link state, and an RA behind it so that the asker learns of the addresses too.
    /// </summary>
    public void OnRequest(LinkStateRequest request, int fromLink, long nowMs)
    {
        if (table.Learn(request.Id, speaks: true, nowMs) is not { } node)
        {
            return;
        }
        (long toldMs, long toldSeq) = node.LinkStateTold;
        if (toldSeq == table.OwnLsSeq && nowMs - toldMs < AnswerSpacingMs)
        {
            return;
        }
        node.LinkStateTold = (nowMs, table.OwnLsSeq);
        var update = new LinkStateUpdate(options.Id, options.Instance, table.OwnLsSeq, table.OwnPeers());
        routing.SendTo(request.Id, ControlService.Router, update, fromLink);
        routing.SendTo(request.Id, ControlService.Router, OwnAdvertisement(), fromLink);
    }

    private RouterAdvertisement OwnAdvertisement() =>
        new(options.Id, options.Instance, table.OwnLsSeq, mobile.OwnSeq);

    private int IntervalMs(long nowMs) => nowMs - TopologyChangedMs <= 2L * options.RaIntervalFluxMs
        ? options.RaIntervalFluxMs
        : options.RaIntervalMs;

    // A number that is ahead is asked for. One that is behind what an LSU said some time ago puts that in doubt.
    private static void NoteLinkStateNumber(RouterNode node, RouterAdvertisement ra, bool isNew, long nowMs)
    {
        if (ra.LsSeq < node.LsSeq && nowMs - node.LsSeqMs > OvertakenMs)
        {
            node.LsSeq = 0;
        }
        if (ra.LsSeq > node.LsSeq && isNew)
        {
            node.LinkStateRequest.WantAnew(nowMs);
        }
        else if (ra.LsSeq > node.LsSeq)
        {
            node.LinkStateRequest.Want(nowMs);
        }
    }

    private bool IsOvertaken(RouterNode node, RouterAdvertisement ra, long nowMs)
    {
        if (!AcceptsInstance(node, ra.Instance, nowMs))
        {
            return true;
        }
        if (ra.LsSeq >= node.Advertised.LsSeq && ra.MobileSeq >= node.Advertised.MobileSeq)
        {
            return false;
        }
        if (nowMs - node.Advertised.HeardMs <= OvertakenMs)
        {
            return true;
        }
        table.Restart(node, node.Instance, nowMs);
        return false;
    }

    // False: of a start that is over.
    private bool AcceptsInstance(RouterNode node, long instance, long nowMs)
    {
        if (instance == 0 || node.Instance == instance)
        {
            return true;
        }
        if (node.Instance is { } known)
        {
            if (instance < known && nowMs - node.LastSeenMs <= OvertakenMs)
            {
                return false;
            }
            table.Restart(node, instance, nowMs);
        }
        node.Instance = instance;
        return true;
    }
}
