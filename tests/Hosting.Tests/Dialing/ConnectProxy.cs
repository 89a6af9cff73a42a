using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Pillarbox.Hosting.Tests.Dialing;

/// <summary>A small HTTP proxy that knows CONNECT: gives a way to those who log in, when it is told to ask.</summary>
internal sealed class ConnectProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string? _login;
    private int _tunnels;

    /// <param name="login">Name and password with a colon between; null: everybody may.</param>
    public ConnectProxy(string? login = null)
    {
        _login = login is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(login));
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Address => $"{_listener.LocalEndpoint}";

    /// <summary>Ways that it has given.</summary>
    public int Tunnels => Volatile.Read(ref _tunnels);

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient near = client;
        try
        {
            NetworkStream stream = near.GetStream();
            string[] lines = (await ReadHeadAsync(stream)).Split("\r\n");
            if (_login is not null && !lines.Contains($"Proxy-Authorization: Basic {_login}"))
            {
                await stream.WriteAsync("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"u8.ToArray(), _stop.Token);
                return;
            }

            string target = lines[0].Split(' ')[1];
            using var far = new TcpClient();
            await far.ConnectAsync(target[..target.LastIndexOf(':')], int.Parse(target[(target.LastIndexOf(':') + 1)..]));
            await stream.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), _stop.Token);
            Interlocked.Increment(ref _tunnels);
            await Task.WhenAny(
                stream.CopyToAsync(far.GetStream(), _stop.Token), far.GetStream().CopyToAsync(stream, _stop.Token));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, _stop.Token);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
