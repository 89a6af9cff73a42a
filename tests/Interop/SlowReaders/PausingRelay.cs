using System.Net;
using System.Net.Sockets;

namespace Pillarbox.Interop.Tests.SlowReaders;

/// <summary>
/// Stands between one client and the node, and can stop reading what the node sends, as a client does that is busy or
/// suspended; what the client says goes on to the node.
/// </summary>
internal sealed class PausingRelay : LoopbackRelay
{
    private const int BufferBytes = 64 << 10;

    private readonly IPEndPoint _target;
    private volatile TaskCompletionSource _open = new();

    public PausingRelay(string target)
    {
        _target = IPEndPoint.Parse(target);
        _open.SetResult();
    }

    /// <summary>Reads nothing more of what the node sends.</summary>
    public void Pause() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads again.</summary>
    public void Resume() => _open.TrySetResult();

    public override ValueTask DisposeAsync()
    {
        Resume();
        return base.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override async Task CarryAsync(TcpClient near, CancellationToken stop)
    {
        // Without room of its own a reader that stops is felt at once.
        using var far = new TcpClient { ReceiveBufferSize = BufferBytes };
        await far.ConnectAsync(_target, stop);
        await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), stop), PumpAsync(far, near, stop));
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, CancellationToken stop)
    {
        byte[] buffer = new byte[BufferBytes];
        while (true)
        {
            await _open.Task;
            int count = await from.GetStream().ReadAsync(buffer, stop);
            if (count == 0) return;
            await to.GetStream().WriteAsync(buffer.AsMemory(0, count), stop);
        }
    }
}
