using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Pillarbox.Interop.Tests.Router.Lab;

/// <summary>Nodes are processes of this machine; a line is a relay that carries bytes, or holds them and tells
/// nobody.</summary>
internal sealed class RelayLab : NetworkLab
{
    private readonly ConcurrentDictionary<string, RelayLine> _lines = new();
    private readonly List<TcpListener> _listeners = [];
    private readonly CancellationTokenSource _stop = new();

    /// <inheritdoc/>
    public override string Kind => "relays on loopback";

    /// <inheritdoc/>
    protected override string[] WithinClients => [];

    /// <inheritdoc/>
    protected override string AnyAddress => "127.0.0.1";

    /// <inheritdoc/>
    public override string[] Within(string place) => [];

    /// <inheritdoc/>
    public override Task CutAsync(string one, string other)
    {
        LineAt(one, other).IsCut = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task JoinAsync(string one, string other)
    {
        LineAt(one, other).IsCut = false;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task LimitAsync(string one, string other, int kilobitsPerSecond)
    {
        LineAt(one, other).BytesPerSecond = kilobitsPerSecond * 125;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override string AddressForClients(string id) => "127.0.0.1";

    /// <inheritdoc/>
    protected override Task LetInAsync(string id, params int[] ports) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override Task<string> ConnectAsync(string one, string other, int port)
    {
        RelayLine line = _lines.GetOrAdd(LineOf(one, other), _ => new RelayLine());
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _listeners.Add(listener);
        _ = AcceptAsync(listener, line, port);
        return Task.FromResult($"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    /// <inheritdoc/>
    protected override ValueTask CloseAsync()
    {
        _stop.Cancel();
        _listeners.ForEach(static listener => listener.Dispose());
        _stop.Dispose();
        return ValueTask.CompletedTask;
    }

    private RelayLine LineAt(string one, string other) => _lines[LineOf(one, other)];

    private async Task AcceptAsync(TcpListener listener, RelayLine line, int port)
    {
        CancellationToken stop = _stop.Token;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                TcpClient near = await listener.AcceptTcpClientAsync(stop);
                _ = CarryAsync(near, line, port, stop);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The lab is closed.
        }
    }

    private static async Task CarryAsync(TcpClient near, RelayLine line, int port, CancellationToken stop)
    {
        using var far = new TcpClient();
        using TcpClient held = near;
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, port, stop);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task there = PumpAsync(near.GetStream(), far.GetStream(), line, either.Token);
            Task back = PumpAsync(far.GetStream(), near.GetStream(), line, either.Token);
            await Task.WhenAny(there, back);
            await either.CancelAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side is gone: so is the other.
        }
    }

    private static async Task PumpAsync(NetworkStream from, NetworkStream to, RelayLine line, CancellationToken stop)
    {
        byte[] bytes = new byte[16 << 10];
        try
        {
            for (int count; (count = await from.ReadAsync(bytes, stop)) > 0;)
            {
                while (line.IsCut)
                {
                    await Task.Delay(20, stop);
                }

                if (line.BytesPerSecond > 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds((double)count / line.BytesPerSecond), stop);
                }

                await to.WriteAsync(bytes.AsMemory(0, count), stop);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side is gone.
        }
    }

    private sealed class RelayLine
    {
        public volatile bool IsCut;
        public volatile int BytesPerSecond;
    }
}
