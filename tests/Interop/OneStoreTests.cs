using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>
/// kcat fills a stream, a queue reads it, Proton works it off in transactions that span that queue, another one and
/// another stream, and the program is killed meanwhile: each record is worked off exactly once, in queue and stream.
/// </summary>
public sealed class OneStoreTests(ITestOutputHelper output)
{
    private const int Records = 2000;
    private const int CyclesMax = 12;

    [Fact]
    public async Task Each_record_is_worked_off_once_however_often_the_program_is_killed()
    {
        int seed = int.Parse(Environment.GetEnvironmentVariable("PILLARBOX_SEED") ?? $"{Random.Shared.Next()}");
        output.WriteLine($"PILLARBOX_SEED={seed}");
        var random = new Random(seed);
        using var directory = new TemporaryDirectory();
        string config = directory.File("pillarbox.json");
        await File.WriteAllTextAsync(config, Configuration);
        string[] expected = [.. Enumerable.Range(0, Records).Select(i => $"r{i}")];
        var committed = new HashSet<string>();
        PillarboxProcess node = await StartAsync(directory, config);
        await KcatAsync(node, string.Join('\n', expected) + "\n", "-P", "-t", "readings");
        await KcatAsync(node, null, "-L", "-t", "log");
        int kills = 0;
        for (; kills < CyclesMax && committed.Count < Records; kills++)
        {
            using Process worker = ClientProcess.Start(Programs.Python, Script(node, "work", "orders", "done", "log"));
            Task<string> said = worker.StandardOutput.ReadToEndAsync();
            await Task.Delay(random.Next(500, 2000));
            await node.KillAsync();
            await node.DisposeAsync();
            await worker.WaitForExitAsync();
            committed.UnionWith(Words(await said, "committed"));
            node = await StartAsync(directory, config);
        }

        await using (node)
        {
            output.WriteLine($"{committed.Count} committed, {kills} kills");
            Assert.NotEmpty(committed);
            await AssertWholeAsync(node, committed, expected);
        }
    }

    private static async Task AssertWholeAsync(PillarboxProcess node, HashSet<string> committed, string[] expected)
    {
        string[] left = Words(await ProtonAsync(node, "drain", "orders", $"{Records + 10}"), "took");
        string[] done = Words(await ProtonAsync(node, "drain", "done", $"{Records + 10}"), "took");
        string[] logged = (await KcatAsync(node, null, "-C", "-t", "log", "-e", "-q"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(done.Order(), logged.Order());
        Assert.Equal(expected.Order(), done.Concat(left).Order());
        Assert.Empty(committed.Except(done));
    }

    private static Task<PillarboxProcess> StartAsync(TemporaryDirectory directory, string config) =>
        PillarboxProcess.StartAsync(directory.File("data"), "--config", config);

    private static string[] Script(PillarboxProcess node, string role, params string[] arguments) =>
        [Programs.Script("proton", "one_store.py"), node.AmqpUrl, role, .. arguments, $"{Records}"];

    private static async Task<string> ProtonAsync(PillarboxProcess node, string role, params string[] arguments)
    {
        string[] command = [Programs.Script("proton", "one_store.py"), node.AmqpUrl, role, .. arguments];
        ClientResult result = await ClientProcess.RunAsync(Programs.Python, command);
        result.AssertOk();
        return result.Output;
    }

    private static async Task<string> KcatAsync(PillarboxProcess node, string? input, params string[] arguments)
    {
        ClientResult result = await ClientProcess.RunAsync("kcat", ["-b", node.KafkaServers, .. arguments], input);
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }

    private static string[] Words(string said, string word) =>
    [
        .. said.Split('\n').Where(line => line.StartsWith(word + " ", StringComparison.Ordinal))
            .Select(line => line[(word.Length + 1)..]),
    ];

    private const string Configuration = """
        {
          "queues": [
            { "name": "orders", "stream": "readings", "from": "first" },
            { "name": "done" }
          ]
        }
        """;
}
