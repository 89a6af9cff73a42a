using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>Proton's Python client: every function marked @scenario in proton/scenarios_*.py.</summary>
[Collection(nameof(SharedNode))]
public sealed partial class ProtonPythonTests(SharedNode shared)
{
    private static readonly Dictionary<string, string[]> Arguments = new()
    {
        ["rejected_goes_to_the_dead_letters"] = [SharedNode.DeadLetterAddress],
        ["attempts_end_in_the_dead_letters"] = [SharedNode.DeadLetterAddress, $"{SharedNode.AttemptsMax}"],
    };

    public static IEnumerable<TheoryDataRow<string>> Scenarios =>
        from file in Directory.EnumerateFiles(Programs.Script("proton"), "scenarios_*.py").Order(StringComparer.Ordinal)
        from match in Scenario().Matches(File.ReadAllText(file))
        where match.Groups[1].Value != "size" && !match.Groups[1].Value.StartsWith("stream_", StringComparison.Ordinal)
        select new TheoryDataRow<string>(match.Groups[1].Value);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_ends_well(string name) => await RunAsync(name, Arguments.GetValueOrDefault(name, []));

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(10_000)]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    [InlineData(10_000_000)]
    [InlineData(100_000_000)]
    public async Task Message_of_any_size_comes_out_as_it_went_in(int bytes) => await RunAsync("size", [$"{bytes}"]);

    private async Task RunAsync(string name, string[] arguments)
    {
        string[] command = [Programs.Script("proton", "run.py"), shared.Node.AmqpUrl, name, .. arguments];
        ClientResult result = await ClientProcess.RunAsync(Programs.Python, command);
        result.AssertOk();
        shared.AssertAlive();
    }

    [GeneratedRegex(@"@scenario\ndef (\w+)\(")]
    private static partial Regex Scenario();
}
