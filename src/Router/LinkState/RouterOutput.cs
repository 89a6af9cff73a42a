namespace Pillarbox.Router.LinkState;

/// <summary>A control message to send, pre-settled, on the control link of a neighbour.</summary>
/// <param name="LinkId">The link's id as given to <see cref="RouterEngine.OnLinkUp"/>.</param>
/// <param name="Message">The whole message; not to be changed, for it may be sent on several links.</param>
public readonly record struct ControlSend(int LinkId, ReadOnlyMemory<byte> Message);

/// <summary>The routers that have an address have changed.</summary>
/// <param name="Key">The address key, e.g. <c>M0orders</c>.</param>
/// <param name="Before">The reachable routers that had it, as bits by <see cref="RouterRoute.Index"/>.</param>
/// <param name="After">The reachable routers that have it now.</param>
public readonly record struct AddressChange(string Key, UInt128 Before, UInt128 After)
{
    /// <summary>Before it had no remote destination.</summary>
    public bool IsFirst => Before == UInt128.Zero && After != UInt128.Zero;

    /// <summary>It has no remote destination any more.</summary>
    public bool IsLast => Before != UInt128.Zero && After == UInt128.Zero;
}

/// <summary>
/// What the engine wants done. The owner reuses one: <see cref="RouterEngine.Drain"/> clears and fills it.
/// </summary>
public sealed class RouterOutput
{
    /// <summary>To be sent in this order.</summary>
    public List<ControlSend> Sends { get; } = [];

    /// <summary>Each address at most once.</summary>
    public List<AddressChange> Changes { get; } = [];

    public List<RouterEvent> Events { get; } = [];

    /// <summary>Events beyond <see cref="RouterLimits.EventsMax"/>.</summary>
    public int EventsDropped { get; internal set; }

    /// <summary><see cref="RouterEngine.Snapshot"/> is another one than at the last drain.</summary>
    public bool SnapshotChanged { get; internal set; }

    internal void Clear()
    {
        Sends.Clear();
        Changes.Clear();
        Events.Clear();
        EventsDropped = 0;
        SnapshotChanged = false;
    }
}
