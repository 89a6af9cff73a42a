using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Router.Peers;

/// <summary>
/// The places of a connector, and whose turn it is. Behind those that are configured stands what the last peer has
/// named: a list replaces the one before, an empty one clears it, none leaves it. Pure; one owner.
/// </summary>
internal sealed class FailoverTargets(
    IReadOnlyList<ConnectorTarget> configured, Func<FailoverServer, ConnectorTarget?>? adopt)
{
    /// <summary>Most places that are kept beside those that are configured.</summary>
    public const int NamedMax = 16;

    private readonly List<ConnectorTarget> _targets = [.. configured];
    private int _at;

    /// <summary>How many there are.</summary>
    public int Count => _targets.Count;

    /// <summary>The place to try.</summary>
    public ConnectorTarget Current => _targets[_at];

    /// <summary>All of them, for people.</summary>
    public IReadOnlyList<string> Texts => [.. _targets.Select(target => target.Text)];

    /// <summary>The connection to <see cref="Current"/> has ended, or did not come about: the next has its
    /// turn.</summary>
    /// <param name="named">What the peer has named; null: nothing.</param>
    public void OnEnd(IReadOnlyList<FailoverServer>? named)
    {
        ConnectorTarget last = Current;
        if (named is not null && adopt is not null)
        {
            Replace(last, named, adopt);
        }

        int now = _targets.FindIndex(target => target.Text == last.Text);
        _at = (now + 1) % _targets.Count;
    }

    private void Replace(
        ConnectorTarget last, IReadOnlyList<FailoverServer> named, Func<FailoverServer, ConnectorTarget?> make)
    {
        _targets.Clear();
        _targets.AddRange(configured);
        if (named.Count == 0)
        {
            return;
        }

        Add(last);
        foreach (FailoverServer server in named.Take(NamedMax))
        {
            if (make(server) is { } target)
            {
                Add(target);
            }
        }
    }

    private void Add(ConnectorTarget target)
    {
        if (_targets.TrueForAll(known => known.Text != target.Text))
        {
            _targets.Add(target);
        }
    }
}
