namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// Between an edge and its router each address has a link of its own, and links take turns. What says that there is
/// nothing more to come on one of them comes by another, and must not overtake what it speaks of: it waits until all
/// that was handed to the other links before it has gone out. Owned by the connection's loop.
/// </summary>
internal sealed class SiblingOrder
{
    private readonly HashSet<RoutedOutgoingLink> _links = [];
    private readonly List<RoutedOutgoingLink> _waiting = [];

    /// <summary>A link of the connection by which messages go out.</summary>
    public void Join(RoutedOutgoingLink link) => _links.Add(link);

    /// <summary>It is gone, and nothing waits for it.</summary>
    public void Leave(RoutedOutgoingLink link)
    {
        _links.Remove(link);
        _waiting.Remove(link);
        OnWritten();
    }

    /// <summary>What waits at the other links at this moment; null: nothing. Links that go on as a whole are no matter
    /// of it: they wait for their own receivers.</summary>
    /// <param name="link">The link that is to wait for it.</param>
    public SiblingBarrier? Raise(RoutedOutgoingLink link)
    {
        List<(RoutedOutgoingLink Link, long Upto)> others =
        [
            .. _links.Where(other => other != link && !other.IsOfLinkRoute && other.Passed < other.Entered)
                .Select(other => (other, other.Entered)),
        ];
        if (others.Count == 0)
        {
            return null;
        }

        if (!_waiting.Contains(link))
        {
            _waiting.Add(link);
        }

        return new SiblingBarrier(others);
    }

    /// <summary>Something has gone out, or was given up: who waited for it may go on.</summary>
    public void OnWritten()
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            RoutedOutgoingLink link = _waiting[i];
            if (!link.HasBarrier)
            {
                _waiting.RemoveAt(i);
            }

            link.Session.Connection.Turns.Enqueue(link);
        }
    }
}

/// <summary>Deliveries of other links that are to go out before.</summary>
internal sealed class SiblingBarrier(List<(RoutedOutgoingLink Link, long Upto)> others)
{
    /// <summary>Whether all of them have.</summary>
    public bool IsPassed()
    {
        others.RemoveAll(static other =>
            other.Link.State != Links.LinkState.Attached || other.Link.Passed >= other.Upto);
        return others.Count == 0;
    }
}
