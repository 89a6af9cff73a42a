using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>Foreign clients over WebSocket: every function of WebSocket/scenarios.js.</summary>
[Collection(nameof(SharedNode))]
public sealed partial class WebSocketTests(SharedNode shared)
{
    public static IEnumerable<TheoryDataRow<string>> Scenarios =>
        from match in Scenario().Matches(File.ReadAllText(Programs.Script("WebSocket", "scenarios.js")))
        select new TheoryDataRow<string>(match.Groups[1].Value);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_ends_well(string name) => await RunAsync("http", name);

    [Fact]
    public async Task The_port_of_all_protocols_takes_it_too() =>
        await RunAsync("all", "stomp_message_comes_out_as_it_went_in");

    private async Task RunAsync(string listener, string name)
    {
        string[] command = [Programs.Script("WebSocket", "run.js"), shared.Node.Listener(listener), name];
        (await ClientProcess.RunAsync("node", command)).AssertOk();
        shared.AssertAlive();
    }

    [GeneratedRegex(@"^  async (\w+)\(address\)", RegexOptions.Multiline)]
    private static partial Regex Scenario();
}
