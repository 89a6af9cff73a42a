using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>Distributed transactions of the Java client: every scenario of OpenWire/java/XaScenarios.java; those that
/// need a node of their own are the crash tests.</summary>
[Collection(nameof(SharedNode))]
public sealed partial class XaTests(SharedNode shared) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public static IEnumerable<TheoryDataRow<string>> Scenarios =>
        from match in Scenario().Matches(File.ReadAllText(Programs.Script("OpenWire", "java", "XaScenarios.java")))
        where !NeedsOwnNode().IsMatch(match.Groups[1].Value)
        select new TheoryDataRow<string>(match.Groups[1].Value);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_ends_well(string name)
    {
        (await JavaClient.RunAsync("XaScenarios", shared.Node.Listener("openwire"), name)).AssertOk();
        shared.AssertAlive();
    }

    [Theory]
    [InlineData("prepareAndWait", "commitAfterRestart")]
    [InlineData("streamPrepareAndWait", "streamCommitAfterRestart")]
    [InlineData("streamGroupPrepareAndWait", "streamGroupCommitAfterRestart")]
    public async Task A_prepared_branch_survives_a_kill_and_is_committed(string before, string after)
    {
        await PrepareAndKillAsync(before);
        await using (PillarboxProcess node = await StartAsync())
        {
            await RunAsync(node, after);
            await node.KillAsync();
        }

        await using PillarboxProcess last = await StartAsync();
        await RunAsync(last, "nothingInDoubt");
    }

    [Theory]
    [InlineData("prepareAndWait", "rollbackAfterRestart")]
    [InlineData("streamPrepareAndWait", "streamRollbackAfterRestart")]
    [InlineData("streamGroupPrepareAndWait", "streamGroupRollbackAfterRestart")]
    public async Task A_prepared_branch_survives_a_kill_and_is_rolled_back(string before, string after)
    {
        await PrepareAndKillAsync(before);
        await using PillarboxProcess node = await StartAsync();
        await RunAsync(node, after);
        await RunAsync(node, "nothingInDoubt");
    }

    [Theory]
    [InlineData("prepareAndWait", "operatorHasCommitted")]
    [InlineData("streamPrepareAndWait", "streamOperatorHasCommitted")]
    public async Task An_operators_decision_is_remembered_until_it_is_forgotten(string before, string after)
    {
        await PrepareAndKillAsync(before);
        await using (PillarboxProcess node = await StartAsync())
        {
            using var http = new HttpClient { BaseAddress = new Uri(node.HttpUrl) };
            JsonElement list = await http.GetFromJsonAsync<JsonElement>("/api/v1/transactions");
            JsonElement branch = list.GetProperty("items")[0];
            Assert.Equal("prepared", branch.GetProperty("state").GetString());
            using var nothing = new StringContent("");
            string commit = $"/api/v1/transactions/{branch.GetProperty("xid").GetString()}/commit";
            using HttpResponseMessage answer = await http.PostAsync(commit, nothing);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            await node.KillAsync();
        }

        await using PillarboxProcess again = await StartAsync();
        await RunAsync(again, after);
        await RunAsync(again, "nothingInDoubt");
    }

    [Theory]
    [InlineData("streamTwoPhases")]
    [InlineData("streamRollback")]
    public async Task Streams_take_part(string scenario)
    {
        await using PillarboxProcess node = await StartAsync();
        await RunAsync(node, scenario);
    }

    public void Dispose() => _directory.Dispose();

    private async Task PrepareAndKillAsync(string scenario)
    {
        await using PillarboxProcess node = await StartAsync();
        await RunAsync(node, scenario);
        await node.KillAsync();
    }

    private async Task<PillarboxProcess> StartAsync()
    {
        string configuration = _directory.File("pillarbox.json");
        await File.WriteAllTextAsync(configuration, Configuration);
        return await PillarboxProcess.StartAsync(_directory.File("data"), "--config", configuration);
    }

    private static async Task RunAsync(PillarboxProcess node, string scenario) =>
        (await JavaClient.RunAsync("XaScenarios", node.Listener("openwire"), scenario)).AssertOk();

    private const string Configuration = """
        {
          "queues": [
            { "name": "xa.work", "stream": "xa.in", "from": "first" },
            { "name": "xa.copies", "stream": "xa.out", "from": "first" }
          ]
        }
        """;

    [GeneratedRegex(@"^    void (\w+)\(\)", RegexOptions.Multiline)]
    private static partial Regex Scenario();

    [GeneratedRegex(
        @"^(stream\w+|prepareAndWait|commitAfterRestart|rollbackAfterRestart|operatorHasCommitted|nothingInDoubt)$")]
    private static partial Regex NeedsOwnNode();
}
