using System.Net;
using System.Net.Sockets;

namespace Pillarbox.Interop.Tests.SlowReaders;

/// <summary>
/// Stands between one client and the node, and can stop reading what the node sends, as a client does that is busy or
/// suspended; what the client says goes on to the node.
/// </summary>
internal sealed class PausingRelay : IAsyncDisposable
{
    private const int BufferBytes = 64 << 10;

    private readonly IPEndPoint _target;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;
    private volatile TaskCompletionSource _open = new();

    public PausingRelay(string target)
    {
        _target = IPEndPoint.Parse(target);
        _open.SetResult();
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Reads nothing more of what the node sends.</summary>
    public void Pause() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads again.</summary>
    public void Resume() => _open.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Resume();
        await _accepting;
        await Task.WhenAll(_connections);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient near = client;
        // Without room of its own a reader that stops is felt at once.
        using var far = new TcpClient { ReceiveBufferSize = BufferBytes };
        try
        {
            await far.ConnectAsync(_target, _stop.Token);
            await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), _stop.Token), PumpAsync(far, near));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side is gone: so is the other.
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to)
    {
        byte[] buffer = new byte[BufferBytes];
        while (true)
        {
            await _open.Task;
            int count = await from.GetStream().ReadAsync(buffer, _stop.Token);
            if (count == 0) return;
            await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _stop.Token);
        }
    }
}
