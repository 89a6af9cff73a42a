namespace Pillarbox.Router.LinkState;

/// <summary>
/// Brings control messages to their links: to neighbours, to one router, to all. Messages of others are passed on with
/// this router in their trace, never to a router that is in it already, never back. Owned by the engine.
/// </summary>
internal sealed class ControlRouting(RouterTable table, HelloProtocol hellos, ControlOutbox outbox)
{
    /// <summary>
    /// The link for a control message to a router: by the way computed last; a neighbour directly when there is none
    /// yet; else back to where its advertisement came from, so that routers can ask each other for what ways are
    /// computed of. That comes first when the advertisement tells of news: then the computed way may be broken. Null:
    /// no way to it is known.
    /// </summary>
    public int? LinkTo(RouterNode node) => LinkTo(node, _ => true);

    /// <summary>Sends to one router. False: no way to it is known.</summary>
    /// <param name="id">The router.</param>
    /// <param name="service">The part of it.</param>
    /// <param name="message">What to say.</param>
    /// <param name="fallbackLink">The link on which it asked, taken when no way is known.</param>
    public bool SendTo(string id, ControlService service, ControlMessage message, int? fallbackLink = null)
    {
        int? link = (table.TryGet(id, out RouterNode? node) ? LinkTo(node) : null) ?? fallbackLink;
        if (link is null)
        {
            return false;
        }
        outbox.Send(link.Value, ControlWriter.Write(new ControlAddress(service, id), message));
        return true;
    }

    /// <summary>
    /// Asks a router. Every other repetition goes another way than the best, in the end by every link: a question that
    /// is always sent the same way may always be lost in the same place, where the routers on it do not agree yet.
    /// False: no way is known.
    /// </summary>
    /// <param name="node">The router.</param>
    /// <param name="service">The part of it.</param>
    /// <param name="question">What to ask.</param>
    /// <param name="repetition">How often this was asked before.</param>
    public bool Ask(RouterNode node, ControlService service, ControlMessage question, int repetition)
    {
        List<int> ways = WaysTo(node);
        if (ways.Count == 0)
        {
            return false;
        }
        int way = ways[0];
        if (repetition % 2 == 1)
        {
            ways = [.. ways.Union(hellos.Links.Where(l => l.Neighbor is not null).Select(l => l.Id))];
            way = ways[(1 + (repetition / 2)) % ways.Count];
        }
        outbox.Send(way, ControlWriter.Write(new ControlAddress(service, node.Id), question));
        return true;
    }

    /// <summary>
    /// Own message by every link, for messages that have to come through while ways are not known. False: nobody is
    /// there.
    /// </summary>
    public bool Flood(ControlService service, ControlMessage message)
    {
        List<ControlLink> links = [.. hellos.Links.Where(l => l.Neighbor is not null)];
        if (links.Count > 0)
        {
            byte[] bytes = ControlWriter.Write(new ControlAddress(service, ControlAddress.All), message);
            links.ForEach(link => outbox.Send(link.Id, bytes));
        }
        return links.Count > 0;
    }

    /// <summary>Own message along the trees of the shortest ways: each router gets it once.</summary>
    public void Multicast(ControlService service, ControlMessage message)
    {
        byte[] bytes = ControlWriter.Write(new ControlAddress(service, ControlAddress.All), message);
        foreach (int link in TreeLinks(origin: 0, exclude: UInt128.Zero))
        {
            outbox.Send(link, bytes);
        }
    }

    /// <summary>Passes a message of another router on to all others by every link.</summary>
    public void ForwardFlood(ControlEnvelope envelope, int fromLink)
    {
        UInt128 seen = SeenBy(envelope);
        var links = hellos.Links
            .Where(l => l.Id != fromLink && l.Neighbor is not null && !Has(seen, l.Neighbor))
            .Select(l => l.Id)
            .ToList();
        SendAll(envelope, links);
    }

    /// <summary>Passes a message of another router on along the tree of where it entered the network.</summary>
    public void ForwardMulticast(ControlEnvelope envelope, int fromLink)
    {
        int? origin = IndexOf(envelope.Ingress ?? RouterAnnotations.NodeId(table.SelfId));
        if (origin is null)
        {
            return;
        }
        List<int> links = [.. TreeLinks(origin.Value, SeenBy(envelope)).Where(l => l != fromLink)];
        SendAll(envelope, links);
    }

    /// <summary>
    /// Passes a message of another router on to the one it is for. While routers do not know the same network yet the
    /// way may lead back to where it was: then another one is taken, any in the end. It ends where it was already.
    /// </summary>
    public void ForwardTo(string id, ControlEnvelope envelope, int fromLink)
    {
        UInt128 seen = SeenBy(envelope);
        bool IsFit(ControlLink link) => link.Id != fromLink && (link.Neighbor is null || !Has(seen, link.Neighbor));
        if (table.TryGet(id, out RouterNode? node)
            && (LinkTo(node, IsFit) ?? hellos.Links.FirstOrDefault(l => l.Neighbor is not null && IsFit(l))?.Id)
                is { } link)
        {
            SendAll(envelope, [link]);
        }
    }

    private int? LinkTo(RouterNode node, Func<ControlLink, bool> isFit)
    {
        foreach (int way in WaysTo(node))
        {
            if (isFit(hellos.TryGet(way)!))
            {
                return way;
            }
        }
        return null;
    }

    // The best first.
    private List<int> WaysTo(RouterNode node)
    {
        bool isOutdated = node.LsSeq < node.Advertised.LsSeq;
        ReadOnlySpan<int?> links =
            [isOutdated ? node.HeardLink : null, node.NextHop?.Link?.Id, node.Link?.Id, node.HeardLink];
        List<int> ways = [];
        foreach (int? link in links)
        {
            if (link is { } id && hellos.Knows(id) && !ways.Contains(id))
            {
                ways.Add(id);
            }
        }
        return ways;
    }

    private void SendAll(ControlEnvelope envelope, List<int> links)
    {
        if (links.Count == 0)
        {
            return;
        }
        byte[] bytes = ControlWriter.Forward(envelope, table.SelfId);
        foreach (int link in links)
        {
            outbox.Send(link, bytes);
        }
    }

    private List<int> TreeLinks(int origin, UInt128 exclude)
    {
        List<int> links = [];
        UInt128 taken = exclude;
        foreach (RouterNode node in table.Nodes)
        {
            if (node.NextHop is { Link: { } link } hop && ((node.ValidOrigins >> origin) & 1) != 0
                && (taken & hop.Bit) == UInt128.Zero)
            {
                taken |= hop.Bit;
                links.Add(link.Id);
            }
        }
        return links;
    }

    private UInt128 SeenBy(ControlEnvelope envelope)
    {
        UInt128 seen = UInt128.Zero;
        foreach (string node in envelope.Trace)
        {
            seen |= IndexOf(node) is > 0 and var index ? UInt128.One << index : UInt128.Zero;
        }
        return seen;
    }

    private bool Has(UInt128 set, string id) =>
        table.TryGet(id, out RouterNode? node) && (set & node.Bit) != UInt128.Zero;

    // Of an id as it stands in annotations; null: not known.
    private int? IndexOf(string nodeId)
    {
        int slash = nodeId.IndexOf('/');
        string id = nodeId[(slash + 1)..];
        return id == table.SelfId ? 0 : table.TryGet(id, out RouterNode? node) ? node.Index : null;
    }
}
