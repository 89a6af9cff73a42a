using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Pillarbox.Interop.Tests.Router.Lab;

/// <summary>Places are network namespaces; a line is a pair of virtual cards, and cutting it takes one down. The host's
/// own network is not touched.</summary>
internal sealed class NamespaceLab : NetworkLab
{
    private const string Clients = "clients";
    private static int _labs;

    private readonly string _tag = $"pb{Environment.ProcessId}x{Interlocked.Increment(ref _labs)}";
    private readonly List<string> _places = [];
    private readonly List<Process> _relays = [];
    private readonly Dictionary<string, (int Number, string One, string Other)> _lines = [];

    private NamespaceLab()
    {
    }

    /// <inheritdoc/>
    public override string Kind => "network namespaces";

    /// <inheritdoc/>
    protected override string[] WithinClients => Within(Clients);

    /// <inheritdoc/>
    protected override string AnyAddress => "0.0.0.0";

    public static async Task<bool> IsPermittedAsync()
    {
        string name = $"pb{Environment.ProcessId}try";
        bool isThere = (await ClientProcess.RunAsync("ip", ["netns", "add", name])).ExitCode == 0;
        return isThere && (await ClientProcess.RunAsync("ip", ["netns", "del", name])).ExitCode == 0;
    }

    public static async Task<NetworkLab> StartAsync(string[] places)
    {
        var lab = new NamespaceLab();
        foreach (string place in (string[])[Clients, .. places])
        {
            lab._places.Add(place);
            await RunAsync("netns", "add", lab.NameOf(place));
            await lab.InsideAsync(place, "ip", "link", "set", "lo", "up");
        }

        for (int i = 0; i < places.Length; i++)
        {
            await lab.WireAsync($"c{i}", Clients, $"10.78.{i}.2", places[i], $"10.78.{i}.1");
        }

        return lab;
    }

    /// <inheritdoc/>
    public override string[] Within(string place) => ["ip", "netns", "exec", NameOf(place)];

    /// <inheritdoc/>
    public override Task CutAsync(string one, string other) => SetAsync(one, other, "down");

    /// <inheritdoc/>
    public override Task JoinAsync(string one, string other) => SetAsync(one, other, "up");

    /// <inheritdoc/>
    public override async Task LimitAsync(string one, string other, int kilobitsPerSecond)
    {
        string card = $"l{_lines[LineOf(one, other)].Number}";
        foreach (string place in (string[])[one, other])
        {
            await InsideAsync(
                place, "tc", "qdisc", "replace", "dev", card, "root", "tbf", "rate", $"{kilobitsPerSecond}kbit",
                "burst", "32kb", "latency", "200ms");
        }
    }

    /// <inheritdoc/>
    protected override string AddressForClients(string id) => $"10.78.{_places.IndexOf(id) - 1}.1";

    /// <inheritdoc/>
    protected override async Task LetInAsync(string id, params int[] ports)
    {
        IEnumerable<string> words = ports.Select(port => port.ToString(CultureInfo.InvariantCulture));
        string script = Programs.Script("Router", "Lab", "relay.py");
        string[] command = [.. Within(id), Programs.Python, script, AddressForClients(id), .. words];
        Process relay = ClientProcess.Start(command[0], command[1..]);
        _relays.Add(relay);
        Assert.Equal("ready", await relay.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    /// <inheritdoc/>
    protected override async Task<string> ConnectAsync(string one, string other, int port)
    {
        string name = LineOf(one, other);
        if (!_lines.TryGetValue(name, out (int Number, string One, string Other) line))
        {
            line = (_lines.Count, one, other);
            _lines.Add(name, line);
            await WireAsync($"l{line.Number}", one, $"10.79.{line.Number}.1", other, $"10.79.{line.Number}.2");
        }

        return $"10.79.{line.Number}.{(line.One == one ? 2 : 1)}:{port}";
    }

    /// <inheritdoc/>
    protected override async ValueTask CloseAsync()
    {
        foreach (Process relay in _relays)
        {
            relay.Kill();
            await relay.WaitForExitAsync();
            relay.Dispose();
        }

        foreach (string place in _places)
        {
            await ClientProcess.RunAsync("ip", ["netns", "del", NameOf(place)]);
        }
    }

    private string NameOf(string place) => $"{_tag}{place}";

    private Task SetAsync(string one, string other, string state) =>
        InsideAsync(one, "ip", "link", "set", $"l{_lines[LineOf(one, other)].Number}", state);

    private async Task WireAsync(string card, string one, string oneAddress, string other, string otherAddress)
    {
        await RunAsync(
            "link", "add", card, "netns", NameOf(one), "type", "veth", "peer", "name", card, "netns", NameOf(other));
        foreach ((string place, string address) in ((string, string)[])[(one, oneAddress), (other, otherAddress)])
        {
            await InsideAsync(place, "ip", "addr", "add", $"{address}/24", "dev", card);
            await InsideAsync(place, "ip", "link", "set", card, "up");
        }
    }

    private Task InsideAsync(string place, params string[] command) =>
        RunAsync(["netns", "exec", NameOf(place), .. command]);

    private static async Task RunAsync(params string[] arguments)
    {
        ClientResult result = await ClientProcess.RunAsync("ip", arguments);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException(result.Everything);
        }
    }
}
