using System.Globalization;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>The management of routers that are real processes, by AMQP and by the program's own verbs.</summary>
public sealed class ManagementTests(ManagedLine line) : IClassFixture<ManagedLine>
{
    [Theory]
    [InlineData("general")]
    [InlineData("nodes")]
    [InlineData("other_router")]
    [InlineData("addresses_and_links")]
    [InlineData("counters")]
    [InlineData("create_and_delete")]
    [InlineData("kill_connection")]
    [InlineData("refusals")]
    public async Task Proton_asks_as_the_tools_of_other_routers_do(string scenario)
    {
        string[] command = [Programs.Script("Router", "manage.py"), scenario, line.A.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    [Fact]
    public async Task Deliveries_are_counted_by_where_they_entered_the_network()
    {
        string[] command = [Programs.Script("Router", "manage.py"), "ingress", line.A.AmqpUrl, line.C.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    [Fact]
    public async Task Lines_of_the_log_are_counted()
    {
        using var folder = new TemporaryDirectory();
        string conf = Path.Combine(folder.Path, "counted.conf");
        await File.WriteAllTextAsync(
            conf, "router {\nmode: interior\nid: L\n}\nlistener {\nhost: 127.0.0.1\nport: 0\n}\n",
            TestContext.Current.CancellationToken);
        await using PillarboxProcess router = PillarboxProcess.StartRouter(conf);
        const string Listening = "Listening on ";
        await router.SaysAsync(Listening);
        string place = router.Output.Split(Listening)[1].Split('\n')[0].Trim();
        string[] command = [Programs.Script("Router", "manage.py"), "log_stats", $"amqp://{place}"];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    [Theory]
    [InlineData("show", "interior")]
    [InlineData("nodes", "(self)")]
    [InlineData("addresses", "M0$management")]
    [InlineData("connections", "inter-router")]
    [InlineData("links", "inter-router")]
    [InlineData("path C A", "B")]
    [InlineData("trace $management", "closest")]
    public async Task The_verbs_print_tables_and_json(string verb, string expected)
    {
        string[] words = ["router", .. verb.Split(' '), "--url", line.A.HttpUrl];
        ClientResult table = await ClientProcess.RunAsync(Programs.Pillarbox, words);
        Assert.True(table.ExitCode == 0, table.Everything);
        Assert.Contains(expected, table.Output, StringComparison.Ordinal);
        ClientResult json = await ClientProcess.RunAsync(Programs.Pillarbox, [.. words, "-o", "json"]);
        Assert.True(json.ExitCode == 0, json.Everything);
        using var document = System.Text.Json.JsonDocument.Parse(json.Output);
        Assert.Contains(expected, json.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("links")]
    [InlineData("connections")]
    public async Task Links_and_connections_are_in_the_order_of_their_numbers(string verb)
    {
        ClientResult json = await ClientProcess.RunAsync(
            Programs.Pillarbox, ["router", verb, "-o", "json", "--url", line.A.HttpUrl]);
        using var document = System.Text.Json.JsonDocument.Parse(json.Output);
        long[] ids = [.. document.RootElement.GetProperty("items").EnumerateArray()
            .Select(item => long.Parse(item.GetProperty("id").GetString()!, CultureInfo.InvariantCulture))];
        Assert.NotEmpty(ids);
        Assert.Equal(ids.Order(), ids);
    }

    [Fact]
    public async Task The_verbs_make_change_show_and_remove()
    {
        string made = await RunAsync("create", "vhost", "hostname=cli", "maxConnections=3",
            """groups={"$default":{"remoteHosts":"*"}}""");
        Assert.Contains("maxConnections", made, StringComparison.Ordinal);
        await RunAsync("update", "vhost", "cli", "maxConnections=4");
        Assert.Contains("maxConnections=4", await RunAsync("query", "vhost"), StringComparison.Ordinal);
        await RunAsync("delete", "vhost", "cli");
        Assert.DoesNotContain("cli", await RunAsync("query", "vhost"), StringComparison.Ordinal);
        await RunAsync("create", "address", "--name", "cli", "prefix=cli", "distribution=closest");
        Assert.Contains("distribution=closest", await RunAsync("query", "address"), StringComparison.Ordinal);
        await RunAsync("delete", "address", "cli");
        string refused = await RunAsync(expected: 1, "create", "address", "prefix=x", "distribution=sideways");
        Assert.Contains("Invalid value 'sideways'", refused, StringComparison.Ordinal);
    }

    private Task<string> RunAsync(params string[] words) => RunAsync(expected: 0, words);

    private async Task<string> RunAsync(int expected, params string[] words)
    {
        ClientResult result =
            await ClientProcess.RunAsync(Programs.Pillarbox, ["router", .. words, "--url", line.A.HttpUrl]);
        Assert.True(expected == 0 == (result.ExitCode == 0), result.Everything);
        return result.Everything;
    }

    [Fact]
    public async Task A_way_to_nobody_is_not_found()
    {
        string[] words = ["router", "path", "A", "nobody", "--url", line.A.HttpUrl];
        ClientResult result = await ClientProcess.RunAsync(Programs.Pillarbox, words);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("there is no way from 'A' to 'nobody'", result.Everything, StringComparison.Ordinal);
    }
}

/// <summary>A line A - B - C whose first node has the HTTP API.</summary>
public sealed class ManagedLine : IAsyncLifetime
{
    internal PillarboxProcess A { get; private set; } = null!;

    internal PillarboxProcess B { get; private set; } = null!;

    internal PillarboxProcess C { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        A = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            [
                "--mode", "interior", "--id", "A", "--listen", "amqp=127.0.0.1:0",
                "--listen", "inter-router=127.0.0.1:0", "--listen", "http=127.0.0.1:0",
            ]);
        B = await RouterNodes.StartAsync("B", A);
        C = await RouterNodes.StartAsync("C", B);
        await A.SaysAsync("radius 2");
        await C.SaysAsync("radius 2");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess? node in (PillarboxProcess?[])[C, B, A])
        {
            if (node is not null) await node.DisposeAsync();
        }
    }
}
