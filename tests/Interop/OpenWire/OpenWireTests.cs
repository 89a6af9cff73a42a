using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>The Java client of ActiveMQ: every scenario of OpenWire/java/Scenarios.java.</summary>
[Collection(nameof(SharedNode))]
public sealed partial class OpenWireTests(SharedNode shared)
{
    public static IEnumerable<TheoryDataRow<string>> Scenarios =>
        from match in Scenario().Matches(File.ReadAllText(Programs.Script("OpenWire", "java", "Scenarios.java")))
        select new TheoryDataRow<string>(match.Groups[1].Value);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_ends_well(string name)
    {
        string[] arguments = [shared.Node.Listener("openwire"), name];
        (await JavaClient.RunAsync("Scenarios", arguments)).AssertOk();
        shared.AssertAlive();
    }

    [GeneratedRegex(@"^    void (\w+)\(\)", RegexOptions.Multiline)]
    private static partial Regex Scenario();
}
