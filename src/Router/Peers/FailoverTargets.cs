namespace Pillarbox.Router.Peers;

/// <summary>
/// The places that a connector tries in turn: those that are configured, and behind them those that the peer named when
/// it was reached the last time. Owned by the connector.
/// </summary>
internal sealed class FailoverTargets
{
    /// <summary>Places of a peer's list; further ones are left out.</summary>
    public const int NamedMax = 32;

    private readonly IReadOnlyList<ConnectorTarget> _configured;
    private readonly Func<string, ConnectorTarget?>? _targetOf;
    private IReadOnlyList<ConnectorTarget> _all;
    private int _at;

    /// <param name="configured">The operator's places.</param>
    /// <param name="targetOf">Makes a target of <c>host:port</c>, null when it is none; null: the peer's list does not
    /// count.</param>
    public FailoverTargets(IReadOnlyList<ConnectorTarget> configured, Func<string, ConnectorTarget?>? targetOf)
    {
        _configured = configured;
        _targetOf = targetOf;
        _all = configured;
    }

    /// <summary>The place to try.</summary>
    public ConnectorTarget Current => _all[_at];

    /// <summary>The peer has named other places: they follow the configured ones and the one in use. None: it has no
    /// others any more. Null: it named nothing, and what it named before counts.</summary>
    public void Adopt(IReadOnlyList<string>? named)
    {
        if (named is null || _targetOf is null)
        {
            return;
        }

        ConnectorTarget current = Current;
        List<ConnectorTarget> all = [.. _configured];
        AddNew(all, current);
        foreach (ConnectorTarget target in named.Take(NamedMax).Select(_targetOf).OfType<ConnectorTarget>())
        {
            AddNew(all, target);
        }

        _all = all;
        _at = all.FindIndex(target => target.Text == current.Text);
    }

    /// <summary>Goes on to the next place; false: there is one only.</summary>
    public bool Next()
    {
        _at = (_at + 1) % _all.Count;
        return _all.Count > 1;
    }

    private static void AddNew(List<ConnectorTarget> all, ConnectorTarget target)
    {
        if (!all.Any(other => other.Text == target.Text))
        {
            all.Add(target);
        }
    }
}
