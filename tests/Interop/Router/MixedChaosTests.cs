using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>
/// A broker behind a router of the interior, and an edge before it: what clients at the edge and in the interior send
/// goes by the router's own links to the broker's queue (<c>work</c>), by links that go through as a whole
/// (<c>whole.work</c>), and past the broker (<c>direct</c>), while any of the three is killed, or paused, and started
/// again. A seed decides: <c>PILLARBOX_SEED=N</c> says which, <c>PILLARBOX_CHAOS_SECONDS</c> for how long.
/// </summary>
public sealed class MixedChaosTests : IAsyncLifetime
{
    private const int SecondsPerRun = 8;

    private readonly TemporaryDirectory _folder = new();
    private readonly Dictionary<string, PillarboxProcess> _nodes = [];
    private readonly Dictionary<string, string[]> _arguments = [];

    public async ValueTask InitializeAsync()
    {
        string[] ports = [.. Enumerable.Range(0, 4).Select(_ => $"127.0.0.1:{LoopbackPort.Free()}")];
        _arguments["broker"] =
        [
            "--listen", $"amqp={ports[0]}", "--set", "queues.0.name=work", "--set", "queues.1.name=whole.work",
        ];
        _arguments["interior"] =
        [
            "--mode", "interior", "--id", "I", "--listen", $"amqp={ports[1]}", "--listen", $"edge={ports[2]}",
            "--connect", $"route-container={ports[0]}", "--waypoint", "work", "--link-route", "whole",
        ];
        _arguments["edge"] =
        [
            "--mode", "edge", "--id", "E", "--listen", $"amqp={ports[3]}", "--connect", $"edge={ports[2]}",
            // What its clients send does not go past the broker to those who draw here.
            "--set", "router.addresses.0.pattern=work", "--set", "router.addresses.0.waypoint=true",
        ];
        foreach (string name in _arguments.Keys)
        {
            await StartAsync(name);
        }

        await _nodes["interior"].SaysAsync("auto link");
        await _nodes["edge"].SaysAsync("connected");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess node in _nodes.Values)
        {
            await node.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Nothing_accepted_is_lost_and_nothing_stays_hung_whichever_node_is_killed_or_paused()
    {
        int seed = Number("PILLARBOX_SEED", Random.Shared.Next(1 << 30));
        using Process clients = ClientProcess.Start(
            "env",
            [
                "PILLARBOX_CHAOS_ADDRESSES=work,whole.work,direct", Programs.Python,
                Programs.Script("Router", "chaos.py"), $"{seed}", _nodes["interior"].AmqpUrl, _nodes["edge"].AmqpUrl,
            ],
            redirectInput: true);
        Task<string> errors = clients.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string story = $"seed {seed}:";
        try
        {
            string? first = await clients.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.True(first == "running", $"{story} {first}");
            story += await DoAsync(new Random(seed));
            await clients.StandardInput.WriteLineAsync("whole");
            string end = await clients.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            TestContext.Current.TestOutputHelper?.WriteLine($"{story}\n{end}");
            string[] lines = end.TrimEnd().Split('\n');
            Assert.True(lines[^1] == "ok", $"{story}\n{end}\n{await errors}\n{Logs}");
        }
        finally
        {
            clients.Kill(entireProcessTree: true);
        }
    }

    private string Logs => string.Join('\n', _nodes.Select(node => $"---- {node.Key}\n{node.Value.Output}"));

    private async Task<string> DoAsync(Random random)
    {
        string story = "";
        var clock = Stopwatch.StartNew();
        int seconds = Number("PILLARBOX_CHAOS_SECONDS", SecondsPerRun);
        string[] names = [.. _arguments.Keys];
        for (int round = 0; round < names.Length * 2 || clock.Elapsed.TotalSeconds < seconds; round++)
        {
            // Each is killed once and paused once, whatever the seed; then it is as it comes.
            string name = round < names.Length * 2 ? names[round % names.Length] : names[random.Next(names.Length)];
            bool isKill = round < names.Length * 2 ? round < names.Length : random.Next(2) == 0;
            var pause = TimeSpan.FromMilliseconds(random.Next(100, 1500));
            story += $" {(isKill ? "kill" : "pause")} {name} {pause.TotalMilliseconds};";
            if (isKill)
            {
                await _nodes[name].KillAsync();
                await Task.Delay(pause / 4);
                await StartAsync(name);
            }
            else
            {
                await _nodes[name].PauseAsync();
                await Task.Delay(pause);
                await _nodes[name].PauseAsync(goesOn: true);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(400)));
        }

        return story;
    }

    private async Task StartAsync(string name)
    {
        if (_nodes.TryGetValue(name, out PillarboxProcess? before))
        {
            await before.DisposeAsync();
        }

        _nodes[name] = await PillarboxProcess.StartAsync(_folder.File(name), ownListeners: true, _arguments[name]);
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number)
            ? number : otherwise;
}
