using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>TCP services over a line of three nodes that are real processes: clients at one end, servers at the
/// other.</summary>
public sealed class TcpServiceTests : IAsyncLifetime
{
    private readonly EchoServer _first = new("1");
    private readonly EchoServer _second = new("2");
    private readonly int _latePort = LoopbackPort.Free();
    private PillarboxProcess _servers = null!;
    private PillarboxProcess _middle = null!;
    private PillarboxProcess _clients = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _servers = await StartAsync(
            "A", null, "--tcp-connect", $"one={_first.Address}", "--tcp-connect", $"both={_first.Address}",
                "--tcp-connect",
            $"both={_second.Address}", "--tcp-connect", "nobody=127.0.0.1:1",
                "--tcp-connect", $"half={_first.Address}", "--tcp-connect", $"half=127.0.0.1:{_latePort}");
        _middle = await StartAsync("B", _servers);
        _clients = await StartAsync(
            "C", _middle, "--tcp-listen", "one=127.0.0.1:0", "--tcp-listen", "both=127.0.0.1:0", "--tcp-listen",
            "nobody=127.0.0.1:0", "--tcp-listen", "half=127.0.0.1:0");
        await _servers.SaysAsync("radius 2");
        await _clients.SaysAsync("radius 2");
        await EventuallyAsync(async () => await AskAsync("one", "up") == "1up");
        await EventuallyAsync(async () => await AskAsync("both", "up") is "1up" or "2up");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess? node in (PillarboxProcess?[])[_clients, _middle, _servers])
        {
            if (node is not null)
            {
                await node.DisposeAsync();
            }
        }

        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public async Task What_is_sent_comes_whole_and_each_side_ends_for_itself()
    {
        byte[] sent = RandomNumberGenerator.GetBytes(8 << 20);
        using var client = new TcpClient();
        await client.ConnectAsync(EndPointOf("one"), Stop);
        NetworkStream stream = client.GetStream();
        Task send = SendAsync(client, stream, sent);
        using var got = new MemoryStream();
        await stream.CopyToAsync(got, Stop);
        await send;
        // The server answers to its name first, and ends when the client has ended.
        Assert.Equal((byte)'1', got.GetBuffer()[0]);
        Assert.True(got.ToArray().AsSpan(1).SequenceEqual(sent), $"{got.Length - 1} of {sent.Length} octets came");
    }

    [Fact]
    public async Task Many_connections_at_once_do_not_wait_for_each_other()
    {
        // One that says nothing stands before all others.
        using var silent = new TcpClient();
        await silent.ConnectAsync(EndPointOf("one"), Stop);
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => AskAsync("one", $"hello {i}")));
        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"1hello {i}"), answers);
    }

    [Fact]
    public async Task Hundreds_of_connections_stand_at_once()
    {
        var clients = new List<TcpClient>();
        try
        {
            byte[] name = new byte[1];
            for (int i = 0; i < 500; i++)
            {
                var client = new TcpClient();
                clients.Add(client);
                await client.ConnectAsync(EndPointOf("one"), Stop);
                await client.GetStream().ReadExactlyAsync(name, Stop);
                Assert.Equal((byte)'1', name[0]);
            }

            Assert.Equal("1still", await AskAsync("one", "still"));
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task Servers_share_the_connections()
    {
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => AskAsync("both", "x")));
        Assert.All(answers, answer => Assert.True(answer is "1x" or "2x", answer));
        Assert.Contains("1x", answers);
        Assert.Contains("2x", answers);
    }

    [Fact]
    public async Task A_server_that_is_down_costs_few_connections_and_has_its_share_when_it_is_up()
    {
        await EventuallyAsync(async () => await AskAsync("half", "up") == "1up");
        // Some stand, and count as load: all others would go to where there is none.
        var standing = new List<TcpClient>();
        for (int i = 0; i < 5; i++)
        {
            standing.Add(new TcpClient());
            await standing[^1].ConnectAsync(EndPointOf("half"), Stop);
        }

        string[] answers = new string[20];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = await AskAsync("half", "x");
        }

        Assert.True(answers.Count(answer => answer == "1x") >= answers.Length - 2, string.Join(' ', answers));
        using var late = new EchoServer("L", _latePort);
        await EventuallyAsync(async () => await AskAsync("half", "late") == "Llate");
        standing.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Without_a_server_the_client_hears_the_end()
    {
        string answer = await AskAsync("nobody", "x");
        Assert.Equal("", answer);
    }

    [Fact]
    public async Task A_node_that_is_killed_ends_its_connections_and_new_ones_go_when_it_is_back()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(EndPointOf("one"), Stop);
        byte[] name = new byte[1];
        await client.GetStream().ReadExactlyAsync(name, Stop);
        await _servers.KillAsync();
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            int rest = await client.GetStream().ReadAsync(name, Stop);
            throw new IOException($"the end after {rest}");
        });
        Assert.Equal("", await AskAsync("one", "x"));
    }

    private static Task<PillarboxProcess> StartAsync(string id, PillarboxProcess? peer, params string[] more) =>
        PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            [
                "--mode", "interior", "--id", id, "--listen", "inter-router=127.0.0.1:0", .. more,
                .. peer is null ? Array.Empty<string>()
                    : ["--connect", $"inter-router={peer.Listener("inter-router")}"],
            ]);

    private static async Task SendAsync(TcpClient client, NetworkStream stream, byte[] bytes)
    {
        await stream.WriteAsync(bytes, Stop);
        client.Client.Shutdown(SocketShutdown.Send);
    }

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            Assert.False(patience.IsCancellationRequested, "the services did not come up");
            await Task.Delay(50, Stop);
        }
    }

    private IPEndPoint EndPointOf(string service) => IPEndPoint.Parse(_clients.Listener($"tcp:{service}"));

    /// <summary>Sends, ends its side, and reads to the end; "" when the connection broke.</summary>
    private async Task<string> AskAsync(string service, string question)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(EndPointOf(service), Stop);
            NetworkStream stream = client.GetStream();
            await SendAsync(client, stream, System.Text.Encoding.ASCII.GetBytes(question));
            using var answer = new StreamReader(stream, System.Text.Encoding.ASCII);
            return await answer.ReadToEndAsync(Stop);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return "";
        }
    }

    /// <summary>Says its name, then what it hears, until the other side ends.</summary>
    private sealed class EchoServer : IDisposable
    {
        private readonly TcpListener _listener;
        private readonly byte[] _name;

        public EchoServer(string name, int port = 0)
        {
            _listener = new TcpListener(IPAddress.Loopback, port);
            _name = System.Text.Encoding.ASCII.GetBytes(name);
            _listener.Start();
            _ = AcceptAsync();
        }

        public string Address => _listener.LocalEndpoint.ToString()!;

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = ServeAsync(await _listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test has ended.
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            using (client)
            {
                try
                {
                    NetworkStream stream = client.GetStream();
                    await stream.WriteAsync(_name);
                    await stream.CopyToAsync(stream);
                    client.Client.Shutdown(SocketShutdown.Send);
                }
                catch (IOException)
                {
                    // The client broke off.
                }
            }
        }
    }
}
