using System.Diagnostics;
using System.Globalization;
using Pillarbox.Simulation.Tests.History;
using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>
/// The program is killed under the load of streams, again and again, and so are its clients: idempotent producers,
/// transactions of producers that fence each other, members of a group, and a pipeline that takes from one stream and
/// puts into another in transactions. Then kcat reads everything, and the whole history is checked.
/// </summary>
public sealed class StreamCrashTests(ITestOutputHelper output) : IAsyncDisposable
{
    private static readonly int Cycles =
        int.Parse(Environment.GetEnvironmentVariable("PILLARBOX_STREAM_KILL_CYCLES") ?? "20");

    private static readonly int Seed = int.Parse(
        Environment.GetEnvironmentVariable("PILLARBOX_SEED") ?? $"{Random.Shared.Next()}");

    /// <summary>A group that was never whole would begin anew with every life of the node.</summary>
    private static readonly TimeSpan GroupsFormed = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(120);

    private static readonly (string Role, string Name)[] Roles =
    [
        ("produce", "p1"), ("produce", "p2"), ("transact", "t1a"), ("transact", "t1b"), ("transact", "t2a"),
        ("pipe", "pipe1"), ("pipe", "pipe2"), ("read", "read1"), ("read", "read2"),
    ];

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, Process> _clients = [];
    private readonly int _port = LoopbackPort.Free();
    private string _program = "";
    private PillarboxProcess? _node;

    private string Servers => $"127.0.0.1:{_port}";

    [Fact]
    public async Task A_history_of_streams_has_no_anomaly_when_the_program_and_its_clients_are_killed()
    {
        output.WriteLine($"PILLARBOX_SEED={Seed} PILLARBOX_STREAM_KILL_CYCLES={Cycles}");
        var random = new Random(Seed);
        _program = await Programs.KafkaCrashClient.Value;
        await StartNodeAsync();
        await CreateStreamsAsync();
        foreach ((string role, string name) in Roles) Start(role, name);
        await Task.Delay(GroupsFormed);
        for (int cycle = 0; cycle < Cycles; cycle++)
        {
            await Task.Delay(random.Next(300, 1600));
            await DisturbAsync(random, cycle);
        }

        await EndAsync();
        StreamHistory history = await ReadHistoryAsync();
        int records = history.Units.Sum(unit => unit.Sent.Count(sent => sent.MustBe));
        int committed = history.Units.Count(unit => unit is { IsTransactional: true, Outcome: Outcome.Good });
        output.WriteLine($"{records} records, {committed} transactions, {history.Commits.Count} offsets");
        bool isBusy = records > Cycles && committed > Cycles && history.Commits.Count > Cycles;
        Assert.True(isBusy, "hardly anything happened");
        IReadOnlyList<Anomaly> found = StreamChecker.Check(history);
        IEnumerable<Anomaly> some = found.GroupBy(anomaly => anomaly.Kind).SelectMany(kind => kind.Take(8));
        Assert.True(found.Count == 0, $"{found.Count} anomalies:\n{string.Join('\n', some)}");
        AssertPiped(history);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        foreach (Process process in _clients.Values)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _directory.Dispose();
    }

    private async Task StartNodeAsync() => _node = await PillarboxProcess.StartAsync(
        _directory.File("data"), ownListeners: true, "--listen", $"kafka={Servers}", "--listen", "http=127.0.0.1:0");

    private async Task CreateStreamsAsync()
    {
        (string, int)[] streams = [("events", 3), ("log", 1), ("out", 3)];
        foreach ((string stream, int partitions) in streams)
        {
            string[] create = ["stream", "create", stream, "--partitions", $"{partitions}", "--url", _node!.HttpUrl];
            ClientResult result = await ClientProcess.RunAsync(Programs.Pillarbox, create);
            Assert.True(result.ExitCode == 0, result.Everything);
        }
    }

    private string StopFile(string role) => _directory.File(role is "produce" or "transact" ? "stop.1" : "stop.2");

    private string LogFile(string name) => _directory.File($"{name}.log");

    private void Start(string role, string name) => _clients[name] =
        ClientProcess.Start(_program, [Servers, role, StopFile(role), LogFile(name), name]);

    // Mostly the node, mostly without a warning; every fourth time a client too.
    private async Task DisturbAsync(Random random, int cycle)
    {
        foreach ((string name, Process process) in _clients)
            Assert.False(process.HasExited, $"{name} ended: {await ErrorsAsync(process)}");
        if (cycle % 10 == 9) Assert.Equal(0, await _node!.StopAsync());
        else await _node!.KillAsync();
        if (cycle % 4 == 3)
        {
            (string role, string name) = Roles[random.Next(Roles.Length)];
            using Process killed = _clients[name];
            killed.Kill();
            await killed.WaitForExitAsync();
            Start(role, name);
        }

        await _node.DisposeAsync();
        await StartNodeAsync();
    }

    private static async Task<string> ErrorsAsync(Process process) =>
        process.HasExited ? await process.StandardError.ReadToEndAsync() : "";

    // The producers first, so that the others see the end of what was sent.
    private async Task EndAsync()
    {
        foreach (string stopFile in (string[])[StopFile("produce"), StopFile("read")])
        {
            await File.WriteAllTextAsync(stopFile, "");
            foreach ((string role, string name) in Roles.Where(r => StopFile(r.Role) == stopFile))
            {
                await _clients[name].WaitForExitAsync().WaitAsync(EndTimeout);
                Assert.True(_clients[name].ExitCode == 0, $"{role} {name}: {await ErrorsAsync(_clients[name])}");
            }
        }
    }

    private async Task<StreamHistory> ReadHistoryAsync()
    {
        var history = new StreamHistory();
        foreach ((string role, string name) in Roles)
        {
            string? group = role == "pipe" ? "pipe" : role == "read" ? "readers" : null;
            new HistoryText(history, name, group).Read(await File.ReadAllLinesAsync(LogFile(name)));
        }

        history.Final = history.BeginLife("kcat", true);
        foreach (string stream in (string[])["events", "log", "out"]) history.Final.Poll(await ReadAllAsync(stream));
        history.IsDrained("readers");
        history.IsDrained("pipe");
        return history;
    }

    private async Task<Polled[]> ReadAllAsync(string stream)
    {
        string[] arguments =
        [
            "-b", Servers, "-C", "-t", stream, "-e", "-q", "-X", "isolation.level=read_committed", "-f", "%p %o %s\n",
        ];
        ClientResult result = await ClientProcess.RunAsync("kcat", arguments);
        Assert.True(result.ExitCode == 0, result.Everything);
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            string[] words = line.Split(' ');
            long offset = long.Parse(words[1], CultureInfo.InvariantCulture);
            return new Polled($"{stream}/{words[0]}", offset, words[2].TrimEnd('\0'), long.MaxValue);
        })];
    }

    // Every record went through the pipeline, and once. What was tried again after an abort has another number.
    private static void AssertPiped(StreamHistory history)
    {
        ILookup<bool, string> values = history.Final!.All.ToLookup(
            p => p.Partition.StartsWith("out/", StringComparison.Ordinal), p => p.Value);
        string[] expected =
        [
            .. history.Final.All.Where(p => p.Partition.StartsWith("events/", StringComparison.Ordinal))
                .Select(p => $"o-{p.Value}").Order(StringComparer.Ordinal),
        ];
        Assert.Equal(expected, values[true].Select(v => v.Split('#')[0]).Order(StringComparer.Ordinal));
    }
}
