using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>rhea, the JavaScript client: every function of rhea/scenarios.js.</summary>
[Collection(nameof(SharedNode))]
public sealed partial class RheaTests(SharedNode shared)
{
    public static IEnumerable<TheoryDataRow<string>> Scenarios =>
        from match in Scenario().Matches(File.ReadAllText(Programs.Script("rhea", "scenarios.js")))
        select new TheoryDataRow<string>(match.Groups[1].Value);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_ends_well(string name)
    {
        string[] command = [Programs.Script("rhea", "run.js"), shared.Node.AmqpHost, shared.Node.AmqpPort, name];
        ClientResult result = await ClientProcess.RunAsync("node", command);
        result.AssertOk();
        shared.AssertAlive();
    }

    [GeneratedRegex(@"^  async (\w+)\(options\)", RegexOptions.Multiline)]
    private static partial Regex Scenario();
}
