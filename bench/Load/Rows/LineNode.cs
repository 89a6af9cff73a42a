using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A router of a line, and where clients and the next router reach it (HOST:PORT).</summary>
internal sealed record LineNode(PeerProcess Process, string Amqp, string InterRouter) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Process.DisposeAsync();
}
