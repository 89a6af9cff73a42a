using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Xunit;

namespace Pillarbox.Interop.Tests.Router.Lab;

/// <summary>
/// Nodes that are real processes in places of their own, lines between places that can be cut, joined and slowed down,
/// and a place for clients that reaches every node whatever happens to the lines. Places are network namespaces where
/// those are permitted; else they are processes of this machine, and lines are relays.
/// </summary>
internal abstract class NetworkLab : IAsyncDisposable
{
    private const string User = "lab";

    private readonly Dictionary<string, PillarboxProcess> _nodes = [];
    private readonly Dictionary<string, string[]> _arguments = [];
    private readonly TemporaryDirectory _folder = new();
    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(12));

    /// <summary>One with these places, or the other kind when <c>PILLARBOX_LAB=relays</c>.</summary>
    public static async Task<NetworkLab> CreateAsync(params string[] places)
    {
        bool mayBe = Environment.GetEnvironmentVariable("PILLARBOX_LAB") != "relays" && Environment.UserName == "root";
        return mayBe && await NamespaceLab.IsPermittedAsync()
            ? await NamespaceLab.StartAsync(places)
            : new RelayLab();
    }

    /// <summary>What the lab is made of, for messages.</summary>
    public abstract string Kind { get; }

    /// <summary>A node that runs, or ran.</summary>
    public PillarboxProcess this[string id] => _nodes[id];

    public IEnumerable<string> Ids => _nodes.Keys;

    /// <summary>The command that runs a program in a place.</summary>
    public abstract string[] Within(string place);

    /// <summary>Where a client reaches a node, and logs in.</summary>
    public string UrlOf(string id) => $"amqp://{User}:{_password}@{AddressForClients(id)}:{PortOf(id, "amqp")}";

    /// <summary>Where the node's API is.</summary>
    public string HttpUrlOf(string id) => $"http://{AddressForClients(id)}:{PortOf(id, "http")}";

    /// <summary>A program in the place of the clients.</summary>
    public Process StartClient(string program, params string[] arguments)
    {
        string[] command = [.. WithinClients, .. LoggedIn, program, .. arguments];
        return ClientProcess.Start(command[0], command[1..], redirectInput: true);
    }

    /// <summary>The same, to its end.</summary>
    public async Task<ClientResult> RunClientAsync(string program, params string[] arguments)
    {
        string[] command = [.. WithinClients, .. LoggedIn, program, .. arguments];
        return await ClientProcess.RunAsync(command[0], command[1..]);
    }

    /// <summary>A node, with lines to others that it connects to; its data is in a folder of its own.</summary>
    public async Task<PillarboxProcess> StartAsync(string id, string mode, params string[] peers)
    {
        var arguments = new List<string>
        {
            "--mode", mode, "--id", id, "--listen", "amqp=127.0.0.1:0", "--listen", "http=127.0.0.1:0",
            "--set", "router.addresses.0.prefix=all", "--set", "router.addresses.0.distribution=multicast",
        };
        if (mode == "interior")
        {
            arguments.AddRange(["--listen", $"inter-router={AnyAddress}:0", "--listen", $"edge={AnyAddress}:0"]);
        }

        foreach (string peer in peers)
        {
            string role = mode == "edge" ? "edge" : "inter-router";
            int port = PortOf(peer, role);
            string connector = $"router.connectors.{peer}";
            string[] settings =
            [
                $"{connector}.role={(mode == "edge" ? "edge" : "interRouter")}", $"{connector}.user={User}",
                $"{connector}.passwordFile={PasswordFile}",
                $"{connector}.addresses.0={await ConnectAsync(id, peer, port)}",
            ];
            arguments.AddRange(settings.SelectMany(setting => new[] { "--set", setting }));
        }

        await AddUserAsync(id);
        _arguments[id] = [.. arguments];
        PillarboxProcess node = await StartAsync(id);
        await LetInAsync(id, PortOf(id, "amqp"), PortOf(id, "http"));
        return node;
    }

    /// <summary>The same node again, on the ports that it had.</summary>
    public async Task<PillarboxProcess> StartAsync(string id)
    {
        PillarboxProcess node = await PillarboxProcess.StartWithinAsync(
            Within(id), Path.Combine(_folder.Path, id), ownListeners: true, _arguments[id]);
        _nodes[id] = node;
        // From now on it has these ports.
        _arguments[id] = [.. _arguments[id].Select(word => Fixed(word, node))];
        return node;
    }

    /// <summary>Waits until a node reaches so many routers, itself among them.</summary>
    public Task ReachesAsync(string id, int routers) => EventuallyAsync(
        $"{id} reaches {routers} routers", async () => (await NodesAsync(id)).Count == routers);

    /// <summary>The routers that a node reaches, each with the neighbour on its way.</summary>
    public async Task<Dictionary<string, string>> NodesAsync(string id)
    {
        ClientResult shown = await RunClientAsync(
            Programs.Pillarbox, "router", "nodes", "-o", "json", "--url", HttpUrlOf(id));
        Assert.True(shown.ExitCode == 0, shown.Everything);
        using var json = JsonDocument.Parse(shown.Output);
        JsonElement rows = json.RootElement.EnumerateObject()
            .First(p => p.Value.ValueKind == JsonValueKind.Array).Value;
        return rows.EnumerateArray()
            .Where(row => row.TryGetProperty("nextHop", out JsonElement hop) && hop.ValueKind == JsonValueKind.String)
            .ToDictionary(row => row.GetProperty("id").GetString()!, row => row.GetProperty("nextHop").GetString()!);
    }

    /// <summary>Nothing passes between two places any more; nobody is told.</summary>
    public abstract Task CutAsync(string one, string other);

    /// <summary>It does again.</summary>
    public abstract Task JoinAsync(string one, string other);

    /// <summary>The line carries so much from now on, each way.</summary>
    public abstract Task LimitAsync(string one, string other, int kilobitsPerSecond);

    /// <summary>Waits until something holds that can be seen from outside.</summary>
    public async Task EventuallyAsync(string what, Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            string logs = string.Join('\n', _nodes.Select(node => $"---- {node.Key}\n{node.Value.Output}"));
            Assert.False(patience.IsCancellationRequested, $"it did not come to this: {what}\n{logs}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess node in _nodes.Values)
        {
            await node.DisposeAsync();
        }

        await CloseAsync();
        _folder.Dispose();
    }

    protected abstract string[] WithinClients { get; }

    /// <summary>Where a node listens for other nodes.</summary>
    protected abstract string AnyAddress { get; }

    /// <summary>Where a node's loopback is for clients.</summary>
    protected abstract string AddressForClients(string id);

    /// <summary>Lets the clients in to ports of a node's loopback.</summary>
    protected abstract Task LetInAsync(string id, params int[] ports);

    /// <summary>Makes a line; the address by which the first reaches the port of the other.</summary>
    protected abstract Task<string> ConnectAsync(string one, string other, int port);

    protected abstract ValueTask CloseAsync();

    protected static string LineOf(string one, string other) =>
        string.CompareOrdinal(one, other) < 0 ? $"{one}-{other}" : $"{other}-{one}";

    private int PortOf(string id, string protocol) => IPEndPoint.Parse(_nodes[id].Listener(protocol)).Port;

    private string PasswordFile => _folder.File("password");

    private string[] LoggedIn => ["env", $"PILLARBOX_USER={User}", $"PILLARBOX_PASSWORD={_password}"];

    // A node that listens on more than loopback lets nobody in who does not log in.
    private async Task AddUserAsync(string id)
    {
        await File.WriteAllTextAsync(PasswordFile, _password);
        string[] add = ["user", "add", User, "--role", "admin", "--data", _folder.File(id)];
        ClientResult added = await ClientProcess.RunAsync(Programs.Pillarbox, add, _password + "\n");
        Assert.True(added.ExitCode == 0, added.Everything);
    }

    private static string Fixed(string word, PillarboxProcess node)
    {
        int at = word.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && word.EndsWith(":0", StringComparison.Ordinal)
            ? $"{word[..^1]}{IPEndPoint.Parse(node.Listener(word[..at])).Port.ToString(CultureInfo.InvariantCulture)}"
            : word;
    }
}
