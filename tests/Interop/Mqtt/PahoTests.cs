using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests.Mqtt;

/// <summary>Eclipse paho for Python, with 3.1.1 and with 5.0: every scenario of its folder.</summary>
[Collection(nameof(SharedNode))]
public sealed partial class PahoTests(SharedNode shared)
{
    public static IEnumerable<TheoryDataRow<string, string>> Scenarios =>
        from match in Function().Matches(File.ReadAllText(Programs.Script("Mqtt", "paho", "scenarios.py")))
        from version in new[] { "3.1.1", "5" }
        select new TheoryDataRow<string, string>(match.Groups[1].Value, version);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Paho_scenario_ends_well(string name, string version)
    {
        string[] command = [Programs.Script("Mqtt", "paho", "run.py"), shared.Node.Listener("mqtt"), name, version];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
        shared.AssertAlive();
    }

    [GeneratedRegex(@"^@scenario\ndef (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Function();
}
