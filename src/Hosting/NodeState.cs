using Pillarbox.ConsoleApi;

namespace Pillarbox.Hosting;

/// <summary>Where the node is in its life. Any thread.</summary>
internal sealed class NodeState : INodeHealth
{
    private volatile bool _started;
    private volatile bool _stopping;

    public bool Started => _started;

    public bool Stopping => _stopping;

    public void MarkStarted() => _started = true;

    public void MarkStopping() => _stopping = true;
}
