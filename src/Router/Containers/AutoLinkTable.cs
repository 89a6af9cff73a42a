using Pillarbox.Protocols.Amqp.Routed.Containers;

namespace Pillarbox.Router.Containers;

/// <summary>Where a link that the node keeps by itself stands.</summary>
internal enum AutoLinkStatus
{
    /// <summary>No container that it is for is connected.</summary>
    Inactive,

    /// <summary>The container's answer is awaited.</summary>
    Attaching,

    /// <summary>It could not be attached, or has ended; it is tried again.</summary>
    Failed,

    /// <summary>Both ends are attached.</summary>
    Active,
}

/// <summary>
/// The links that the node keeps to containers by itself: begun when a container connects, and again when they failed,
/// first after two seconds, then each five. Pure but for what it asks of the connections; the owner looks after threads
/// and the clock.
/// </summary>
internal sealed class AutoLinkTable(IAutoLinkWatch watch)
{
    /// <summary>Before the first try after a failure, in milliseconds.</summary>
    public const int FirstRetryMs = 2000;

    /// <summary>Before each further one.</summary>
    public const int RetryMs = 5000;

    private readonly List<AutoLinkEntry> _entries = [];
    private readonly List<LinkCarrier> _carriers = [];

    /// <summary>All of them, in the operator's order.</summary>
    public IReadOnlyList<AutoLinkEntry> Entries => _entries;

    /// <summary>When something is due, in milliseconds of the owner's clock.</summary>
    public long DueMs { get; private set; } = long.MaxValue;

    public void Add(AutoLinkRule rule)
    {
        var entry = new AutoLinkEntry(rule);
        _entries.Add(entry);
        foreach (LinkCarrier carrier in _carriers.Where(rule.For.Matches))
        {
            Begin(entry, carrier);
        }
    }

    /// <summary>False: there is none of this name.</summary>
    public bool Remove(string name)
    {
        if (_entries.Find(entry => entry.Rule.Plan.Name == name) is not { } entry)
        {
            return false;
        }

        _entries.Remove(entry);
        foreach (AutoLinkState state in entry.States)
        {
            state.Run.Carrier.End(state.Run);
        }

        return true;
    }

    /// <summary>A container has connected.</summary>
    public void OnCarrier(LinkCarrier carrier)
    {
        _carriers.Add(carrier);
        foreach (AutoLinkEntry entry in _entries.Where(entry => entry.Rule.For.Matches(carrier)))
        {
            Begin(entry, carrier);
        }
    }

    /// <summary>It is gone, and its links with it.</summary>
    public void OnCarrierLost(LinkCarrier carrier)
    {
        _carriers.Remove(carrier);
        foreach (AutoLinkEntry entry in _entries)
        {
            entry.States.RemoveAll(state => state.Run.Carrier == carrier);
        }
    }

    public void OnAttached(AutoLinkRun run, long link)
    {
        if (Find(run) is { } state)
        {
            (state.Status, state.Link) = (AutoLinkStatus.Active, link);
            (state.Error, state.Failures) = (null, 0);
        }
    }

    public void OnEnded(AutoLinkRun run, string? error, long nowMs)
    {
        if (Find(run) is not { } state)
        {
            return;
        }

        (state.Status, state.Link) = (AutoLinkStatus.Failed, null);
        state.Error = error ?? "the container ended the link";
        state.DueMs = nowMs + (state.Failures++ == 0 ? FirstRetryMs : RetryMs);
        DueMs = Math.Min(DueMs, state.DueMs);
    }

    /// <summary>Tries again what is due.</summary>
    public void Tick(long nowMs)
    {
        DueMs = long.MaxValue;
        foreach (AutoLinkState state in _entries.SelectMany(entry => entry.States))
        {
            if (state.Status != AutoLinkStatus.Failed)
            {
                continue;
            }

            if (state.DueMs <= nowMs)
            {
                state.Status = AutoLinkStatus.Attaching;
                state.Run.Carrier.Begin(state.Run);
            }
            else
            {
                DueMs = Math.Min(DueMs, state.DueMs);
            }
        }
    }

    private void Begin(AutoLinkEntry entry, LinkCarrier carrier)
    {
        var state = new AutoLinkState(new AutoLinkRun(entry.Rule.Plan, carrier, watch));
        entry.States.Add(state);
        carrier.Begin(state.Run);
    }

    private AutoLinkState? Find(AutoLinkRun run)
    {
        foreach (AutoLinkEntry entry in _entries)
        {
            if (entry.States.Find(state => state.Run == run) is { } found)
            {
                return found;
            }
        }

        return null;
    }
}

/// <summary>One rule, with its links.</summary>
internal sealed class AutoLinkEntry(AutoLinkRule rule)
{
    public AutoLinkRule Rule { get; } = rule;

    /// <summary>One for each container that is connected and meant.</summary>
    public List<AutoLinkState> States { get; } = [];

    /// <summary>The link that says most: one that is attached, before one that failed.</summary>
    public AutoLinkState? Shown => States.MaxBy(state => state.Status);
}

/// <summary>One link.</summary>
internal sealed class AutoLinkState(AutoLinkRun run)
{
    public AutoLinkRun Run { get; } = run;

    public AutoLinkStatus Status { get; set; } = AutoLinkStatus.Attaching;

    /// <summary>Its number among the node's links, while it is attached.</summary>
    public long? Link { get; set; }

    /// <summary>Why it failed the last time; null: it did not, since it was attached.</summary>
    public string? Error { get; set; }

    /// <summary>Failures in a row.</summary>
    public int Failures { get; set; }

    /// <summary>When it is tried again.</summary>
    public long DueMs { get; set; }
}
