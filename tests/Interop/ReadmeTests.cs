using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>The README's examples run as printed; only the port is the node's own.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(Programs.Root, "README.md"));

    [Theory]
    [InlineData("orders.py")]
    [InlineData("orders.js")]
    public async Task Example_sends_and_receives(string name)
    {
        using var directory = new TemporaryDirectory();
        await using PillarboxProcess node = await PillarboxProcess.StartAsync(directory.File("data"));
        string script = directory.File(name);
        await File.WriteAllTextAsync(script, Example(name).Replace("5672", node.AmqpPort, StringComparison.Ordinal));
        ClientResult result = await RunAsync(script);
        Assert.True(result.ExitCode == 0, result.Everything);
        string[] expected = [.. Enumerable.Range(0, 10).Select(n => $"{n} order {n}")];
        Assert.Equal(expected, result.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Example_of_streams_writes_and_reads()
    {
        using var directory = new TemporaryDirectory();
        await using PillarboxProcess node = await PillarboxProcess.StartAsync(directory.File("data"));
        string script = Example("readings.sh").Replace("127.0.0.1:9092", node.KafkaServers, StringComparison.Ordinal);
        ClientResult result = await ClientProcess.RunAsync("sh", ["-ec", script]);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal("0 1\n1 2\n2 3\n3 4\n4 5\n", result.Output);
        string reader = directory.File("readings.py");
        await File.WriteAllTextAsync(
            reader, Example("readings.py").Replace("5672", node.AmqpPort, StringComparison.Ordinal));
        ClientResult read = await RunAsync(reader);
        Assert.True(read.ExitCode == 0, read.Everything);
        Assert.Equal("0 1\n1 2\n2 3\n3 4\n4 5\n", read.Output);
    }

    [Fact]
    public void Every_example_is_run_by_a_test()
    {
        string[] named = [.. Named().Matches(Readme).Select(m => m.Groups[1].Value)];
        Assert.Equal(["orders.py", "orders.js", "readings.sh", "readings.py"], named);
    }

    private static string Example(string name)
    {
        string pattern = $@"<!-- example: {Regex.Escape(name)} -->\n```\w+\n(.*?)```";
        Match match = Regex.Match(Readme, pattern, RegexOptions.Singleline);
        Assert.True(match.Success, $"README.md has no example {name}");
        return match.Groups[1].Value;
    }

    private static Task<ClientResult> RunAsync(string script) =>
        script.EndsWith(".py", StringComparison.Ordinal)
            ? ClientProcess.RunAsync(Programs.Python, [script])
            : ClientProcess.RunAsync("env", [$"NODE_PATH={Programs.Script("rhea", "node_modules")}", "node", script]);

    [GeneratedRegex("<!-- example: (.*?) -->")]
    private static partial Regex Named();
}
