namespace Pillarbox.Hosting;

/// <summary>Where the node is in its life. Any thread.</summary>
internal sealed class NodeState
{
    private volatile bool _started;
    private volatile bool _stopping;

    /// <summary>Recovered and listening.</summary>
    public bool Started => _started;

    /// <summary>On its way down.</summary>
    public bool Stopping => _stopping;

    public void MarkStarted() => _started = true;

    public void MarkStopping() => _stopping = true;
}
