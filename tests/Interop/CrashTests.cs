using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>
/// The program is killed under load, again and again: no acknowledged message is lost, none comes after its
/// acknowledged
/// settlement, each sender's order is kept, a transaction comes whole or not at all; what was given back comes again,
/// and what was rejected is a dead letter.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output) : IAsyncDisposable
{
    private static readonly int Cycles = int.Parse(Environment.GetEnvironmentVariable("PILLARBOX_KILL_CYCLES") ?? "60");
    private static readonly int Seed = int.Parse(
        Environment.GetEnvironmentVariable("PILLARBOX_SEED") ?? $"{Random.Shared.Next()}");

    private readonly TemporaryDirectory _directory = new();
    private readonly List<(string Name, Process Process)> _clients = [];
    private PillarboxProcess? _node;

    private string PortFile => _directory.File("port");

    [Fact]
    public async Task Nothing_acknowledged_is_lost_when_the_program_is_killed()
    {
        output.WriteLine($"PILLARBOX_SEED={Seed} PILLARBOX_KILL_CYCLES={Cycles}");
        var random = new Random(Seed);
        PillarboxProcess node = await StartNodeAsync();
        StartClients();
        for (int cycle = 0; cycle < Cycles; cycle++)
        {
            await Task.Delay(random.Next(100, 700));
            AssertClientsRun();
            if (cycle % 10 == 9) Assert.Equal(0, await node.StopAsync());
            else await node.KillAsync();
            await node.DisposeAsync();
            node = await StartNodeAsync();
        }
        await using (node) await EndAsync();
        CrashHistory history = await ReadHistoryAsync();
        output.WriteLine($"{history.Acknowledged} acknowledged, {history.Came} came, {history.Settled} settled");
        Assert.True(history.Acknowledged > Cycles && history.Settled > Cycles, "hardly anything happened");
        Assert.True(history.Violations.Count == 0, string.Join('\n', history.Violations.Take(50)));
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        foreach (var (_, process) in _clients)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _directory.Dispose();
    }

    private async Task<PillarboxProcess> StartNodeAsync()
    {
        PillarboxProcess node = _node = await PillarboxProcess.StartAsync(_directory.File("data"));
        string next = _directory.File("port.next");
        await File.WriteAllTextAsync(next, node.Listener("amqp"));
        File.Move(next, PortFile, overwrite: true);
        return node;
    }

    private void StartClients()
    {
        Start("stop.senders", "send", "one", "crash.a");
        Start("stop.senders", "send", "two", "crash.a");
        Start("stop.senders", "transact", "three", "crash.a", "crash.b");
        Start("stop.receivers", "receive", "take.a", "crash.a");
        Start("stop.receivers", "receive", "take.b", "crash.b");
        Start("stop.senders", "send", "four", "crash.c");
        Start("stop.receivers", "return", "take.c", "crash.c");
    }

    private void Start(string stopFile, string role, string name, params string[] addresses) =>
        _clients.Add((name, ClientProcess.Start(Programs.Python, Arguments(stopFile, role, name, addresses))));

    private string[] Arguments(string stopFile, string role, string name, string[] addresses) =>
    [
        Programs.Script("proton", "crash_client.py"), role, PortFile, _directory.File(stopFile),
        _directory.File($"{name}.log"), name, .. addresses,
    ];

    private void AssertClientsRun()
    {
        foreach (var (name, process) in _clients.Where(c => c.Process.HasExited))
            Assert.Fail($"client {name} ended:\n{process.StandardError.ReadToEnd()}");
    }

    // The senders first, so that the receivers see the end of what was sent; the collectors take what is left.
    private async Task EndAsync()
    {
        foreach (string stopFile in (string[])["stop.senders", "stop.receivers"])
        {
            await File.WriteAllTextAsync(_directory.File(stopFile), "");
            bool senders = stopFile == "stop.senders";
            foreach (var (name, process) in _clients)
            {
                if (name.StartsWith("take", StringComparison.Ordinal) != senders)
                    await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            }
        }
        foreach (string queue in (string[])["crash.a", "crash.b", "crash.c", "DLQ"])
        {
            string[] arguments = Arguments("none", "collect", $"rest.{queue}", [queue]);
            (await ClientProcess.RunAsync(Programs.Python, arguments)).AssertOk();
        }
    }

    private async Task<CrashHistory> ReadHistoryAsync()
    {
        var history = new CrashHistory();
        history.AddSender("one", await LogAsync("one"));
        history.AddSender("two", await LogAsync("two"));
        history.AddSender("three", await LogAsync("three"), transactional: true);
        history.AddSender("four", await LogAsync("four"));
        foreach (string queue in (string[])["a", "b", "c"])
        {
            string[] log = [.. await LogAsync($"take.{queue}"), .. await LogAsync($"rest.crash.{queue}")];
            history.AddReceiver(queue, log, isOrdered: queue != "c");
        }
        history.AddReceiver("DLQ", await LogAsync("rest.DLQ"), isOrdered: false);
        history.Finish();
        return history;
    }

    private Task<string[]> LogAsync(string name) => File.ReadAllLinesAsync(_directory.File($"{name}.log"));
}
