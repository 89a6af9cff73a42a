using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>
/// Finds out who is at the other end of each control link, and whether both hear each other. A neighbour is up when its
/// HELLO names this router. With several links to one neighbour the cheapest counts, and the next takes over when it is
/// lost. Owned by the engine.
/// </summary>
internal sealed class HelloProtocol(RouterOptions options, RouterTable table, ControlOutbox outbox)
{
    private readonly SortedDictionary<int, ControlLink> _links = [];
    private bool _duplicateSaid;

    public IEnumerable<ControlLink> Links => _links.Values;

    public bool Knows(int linkId) => _links.ContainsKey(linkId);

    public ControlLink? TryGet(int linkId) => _links.GetValueOrDefault(linkId);

    public void OnLinkUp(int linkId, int cost, long nowMs)
    {
        if (_links.TryGetValue(linkId, out ControlLink? known))
        {
            table.IsOwnLinkStateStale |= known.Cost != cost;
            known.Cost = cost;
            Refresh(known.Neighbor, nowMs);
            return;
        }
        var link = new ControlLink(linkId, cost);
        _links.Add(linkId, link);
        SendHello([link], nowMs);
    }

    public void OnLinkDown(int linkId, long nowMs)
    {
        if (_links.Remove(linkId, out ControlLink? link))
        {
            Refresh(link.Neighbor, nowMs);
        }
    }

    /// <summary>A HELLO came on a link.</summary>
    public void OnHello(int linkId, Hello hello, long nowMs)
    {
        ControlLink link = _links[linkId];
        if (hello.Id == options.Id)
        {
            SayDuplicate(hello);
            return;
        }
        bool isNew = link.Neighbor != hello.Id;
        if (isNew && link.Neighbor is not null && IsFresh(link.HeardMs, nowMs))
        {
            outbox.Say(RouterEventKind.WrongId, hello.Id, $"the link belongs to {link.Neighbor}");
            return;
        }
        if (table.Learn(hello.Id, speaks: true, nowMs) is not { } node)
        {
            return;
        }
        string? former = isNew ? link.Neighbor : null;
        (link.Neighbor, link.HeardMs) = (hello.Id, nowMs);
        Refresh(former, nowMs);
        NoteInstance(node, hello.Instance, nowMs);
        if (isNew)
        {
            link.ConfirmedMs = long.MinValue / 2;
            SendHello([link], nowMs);
        }
        if (hello.Seen.Contains(options.Id))
        {
            link.ConfirmedMs = nowMs;
            Refresh(hello.Id, nowMs);
        }
    }

    /// <summary>When the first neighbour is lost unless it is heard before.</summary>
    public long ExpiryMs
    {
        get
        {
            long first = long.MaxValue;
            foreach (RouterNode node in table.Nodes)
            {
                first = node.Link is { } link ? Math.Min(first, link.ConfirmedMs + options.HelloMaxAgeMs + 1) : first;
            }
            return first;
        }
    }

    /// <summary>Neighbours that fell silent are lost.</summary>
    public void Expire(long nowMs)
    {
        foreach (RouterNode node in table.Nodes)
        {
            if (node.Link is { } link && !IsFresh(link.ConfirmedMs, nowMs))
            {
                Refresh(node.Id, nowMs);
            }
        }
    }

    /// <summary>On all links.</summary>
    public void SendHello(long nowMs) => SendHello(_links.Values, nowMs);

    private void SendHello(IReadOnlyCollection<ControlLink> links, long nowMs)
    {
        if (links.Count == 0)
        {
            return;
        }
        ImmutableArray<string> seen =
        [
            .. _links.Values.Where(l => l.Neighbor is not null && IsFresh(l.HeardMs, nowMs))
                .Select(l => l.Neighbor!).Distinct().Order(StringComparer.Ordinal),
        ];
        byte[] hello = ControlWriter.Write(
            new ControlAddress(ControlService.Hello, null), new Hello(options.Id, options.Instance, seen));
        foreach (ControlLink link in links)
        {
            outbox.Send(link.Id, hello);
        }
    }

    // Heard from itself: any other number means a restart.
    private void NoteInstance(RouterNode node, long instance, long nowMs)
    {
        if (instance != 0 && node.Instance is { } known && known != instance)
        {
            table.Restart(node, instance, nowMs);
        }
        node.Instance = instance != 0 ? instance : node.Instance;
    }

    // Chooses the neighbour's link anew.
    private void Refresh(string? id, long nowMs)
    {
        if (id is null || !table.TryGet(id, out RouterNode? node))
        {
            return;
        }
        ControlLink? best = _links.Values
            .Where(l => l.Neighbor == id && IsFresh(l.ConfirmedMs, nowMs))
            .MinBy(l => l.Cost);
        if (best == node.Link)
        {
            return;
        }
        Say(node, best);
        bool sameCost = best is not null && best.Cost == node.Link?.Cost;
        node.Link = best;
        table.IsTopologyStale = true;
        table.IsOwnLinkStateStale |= !sameCost;
        if (best is not null)
        {
            node.LinkStateRequest.WantAnew(nowMs);
        }
    }

    private void Say(RouterNode node, ControlLink? best)
    {
        if (best is null)
        {
            outbox.Say(RouterEventKind.NeighborLost, node.Id);
        }
        else if (node.Link is null)
        {
            outbox.Say(RouterEventKind.NeighborUp, node.Id, $"link {best.Id}, cost {best.Cost}");
        }
    }

    private void SayDuplicate(Hello hello)
    {
        if (!_duplicateSaid && hello.Instance != options.Instance)
        {
            _duplicateSaid = true;
            outbox.Say(RouterEventKind.DuplicateId, hello.Id, $"instance {hello.Instance}");
        }
    }

    private bool IsFresh(long heardMs, long nowMs) => nowMs - heardMs <= options.HelloMaxAgeMs;
}
