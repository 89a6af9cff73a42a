using System.Diagnostics;
using System.Globalization;
using Pillarbox.Interop.Tests.Router.Lab;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>
/// A ring of four nodes and an edge, as real processes in places of their own, while nodes are killed and paused and
/// lines are cut. A seed decides what happens: <c>PILLARBOX_SEED=N</c> says which, <c>PILLARBOX_CHAOS_SECONDS</c> for
/// how long.
/// </summary>
public sealed class ChaosTests
{
    private const int SecondsPerRun = 30;
    private static readonly (string, string)[] Lines = [("A", "B"), ("B", "C"), ("C", "D"), ("A", "D")];

    [Fact]
    public async Task Nothing_accepted_is_lost_and_what_comes_twice_was_in_doubt()
    {
        int seed = Number("PILLARBOX_SEED", Random.Shared.Next(1 << 30));
        await using NetworkLab lab = await NetworkLab.CreateAsync("A", "B", "C", "D", "E");
        await StartRingAsync(lab);
        using Process clients = lab.StartClient(
            Programs.Python,
            [Programs.Script("Router", "chaos.py"), $"{seed}", .. lab.Ids.Select(id => lab.UrlOf(id))]);
        Task<string> errors = clients.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string story = $"seed {seed}, {lab.Kind}:";
        try
        {
            string? first = await clients.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.True(first == "running", $"{story} {first}");
            story += await DoAsync(lab, new Random(seed));
            await clients.StandardInput.WriteLineAsync("whole");
            string end = await clients.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            TestContext.Current.TestOutputHelper?.WriteLine($"{story}\n{end}");
            string[] lines = end.TrimEnd().Split('\n');
            Assert.True(lines[^1] == "ok", $"{story}\n{end}\n{await errors}");
        }
        finally
        {
            clients.Kill(entireProcessTree: true);
        }
    }

    // What the checks are for: a router that takes messages, accepts them and gives them to nobody.
    [Fact]
    public async Task Chaos_finds_what_a_broken_router_accepts_and_loses()
    {
        await using PillarboxProcess node = await RouterNodes.StartAsync("A");
        using Process broken = ClientProcess.Start(
            Programs.Python,
            [Programs.Script("Router", "broken.py"), $"amqp://{node.Listener("inter-router")}", "direct"]);
        using Process clients = ClientProcess.Start(
            "env",
            [
                "PILLARBOX_CHAOS_PATIENCE=10", Programs.Python, Programs.Script("Router", "chaos.py"), "1",
                node.AmqpUrl,
            ],
            redirectInput: true);
        try
        {
            Task<string> errors = clients.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal("advertised", await NextAsync(broken));
            string? first = await NextAsync(clients);
            if (first != "running")
            {
                Assert.Fail($"{first} {await errors}");
            }

            Assert.Equal("lost", await NextAsync(broken));
            await clients.StandardInput.WriteLineAsync("whole");
            string end = await clients.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.EndsWith("FAILED", end.TrimEnd(), StringComparison.Ordinal);
            Assert.Contains("accepted messages are LOST: ['direct", end, StringComparison.Ordinal);
        }
        finally
        {
            broken.Kill(entireProcessTree: true);
            clients.Kill(entireProcessTree: true);
        }
    }

    private static async Task<string?> NextAsync(Process process) =>
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

    private static async Task StartRingAsync(NetworkLab lab)
    {
        await lab.StartAsync("A", "interior");
        await lab.StartAsync("B", "interior", "A");
        await lab.StartAsync("C", "interior", "B");
        await lab.StartAsync("D", "interior", "A", "C");
        await lab.StartAsync("E", "edge", "B", "D");
        foreach (string id in (string[])["A", "B", "C", "D"])
        {
            await lab.ReachesAsync(id, 4);
        }

        await lab.EventuallyAsync("the queue is there", async () =>
        {
            ClientResult made = await lab.RunClientAsync(
                Programs.Pillarbox, "queue", "create", "work", "--url", lab.HttpUrlOf("A"));
            return made.ExitCode == 0;
        });
    }

    // One thing after the other; each is undone before the next, so that there is always a way in the end.
    private static async Task<string> DoAsync(NetworkLab lab, Random random)
    {
        string story = "";
        var clock = Stopwatch.StartNew();
        int seconds = Number("PILLARBOX_CHAOS_SECONDS", SecondsPerRun);
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            string id = lab.Ids.ElementAt(random.Next(lab.Ids.Count()));
            var pause = TimeSpan.FromMilliseconds(random.Next(300, 4500));
            (string one, string other) = Lines[random.Next(Lines.Length)];
            switch (random.Next(4))
            {
                case 0:
                    story += $" kill {id};";
                    await lab[id].KillAsync();
                    await Task.Delay(pause / 4);
                    await lab.StartAsync(id);
                    break;
                case 1:
                    story += $" pause {id} {pause.TotalMilliseconds};";
                    await lab[id].PauseAsync();
                    await Task.Delay(pause);
                    await lab[id].PauseAsync(goesOn: true);
                    break;
                case 2:
                    story += $" cut {one}-{other} {pause.TotalMilliseconds};";
                    await lab.CutAsync(one, other);
                    await Task.Delay(pause);
                    await lab.JoinAsync(one, other);
                    break;
                default:
                    (string third, string fourth) = Lines[random.Next(Lines.Length)];
                    story += $" part {one}-{other} {third}-{fourth} {pause.TotalMilliseconds};";
                    await lab.CutAsync(one, other);
                    await lab.CutAsync(third, fourth);
                    await Task.Delay(pause);
                    await lab.JoinAsync(third, fourth);
                    await lab.JoinAsync(one, other);
                    break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1500)));
        }

        foreach (string id in (string[])["A", "B", "C", "D"])
        {
            await lab.ReachesAsync(id, 4);
        }

        return story;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number)
            ? number : otherwise;
}
