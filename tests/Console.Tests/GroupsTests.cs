using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

public sealed class GroupsTests
{
    private const string Group = "/api/v1/groups/readers";
    private const string Forever = """{ "partitions": 2, "config": { "retention.ms": "-1" } }""";
    private const long Noon = 1_767_268_800_000;

    [Fact]
    public async Task A_node_without_groups_has_none_and_makes_no_streams_for_them()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Empty((await node.GetAsync("/api/v1/groups"))["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Group));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, Group));
        Assert.Equal(HttpStatusCode.NotFound, await ResetAsync(node, """{ "to": "latest" }"""));
        Assert.Empty((await node.GetAsync("/api/v1/streams?internal=true"))["items"]!.AsArray());
    }

    [Fact]
    public async Task A_group_shows_offsets_and_lag_and_goes()
    {
        await using ApiNode node = await StartAsync();
        JsonObject all = await node.GetAsync("/api/v1/groups");
        Assert.Equal("readers classic Empty 0 3", Summary(all["items"]![0]!));
        JsonNode offset = Assert.Single((await node.GetAsync(Group))["offsets"]!.AsArray())!;
        Assert.Equal("readings 0 2 5 3", $"{offset["stream"]} {offset["partition"]} {offset["offset"]} "
            + $"{offset["endOffset"]} {offset["lag"]}");
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, Group));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Group));
    }

    [Fact]
    public async Task A_group_with_members_shows_who_reads_what_and_is_left_alone()
    {
        await using ApiNode node = await StartAsync();
        await node.Host.Broker.JoinAsync("live", "readings");
        JsonObject group = await node.GetAsync("/api/v1/groups/live");
        Assert.Equal("live consumer Stable 1 0", Summary(group));
        JsonNode member = group["members"]![0]!;
        Assert.Equal("reader", (string?)member["clientId"]);
        Assert.Equal(
            """[{"stream":"readings","partition":0},{"stream":"readings","partition":1}]""",
            new JsonArray([.. member["assigned"]!.AsArray().OrderBy(p => (int)p!["partition"]!)
                .Select(p => p!.DeepClone())]).ToJsonString());
        const string Path = "/api/v1/groups/live";
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Delete, Path));
        const string Reset = """{ "to": "latest", "streams": [ { "stream": "readings" } ], "execute": true }""";
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Post, Path + "/reset-offsets", Reset));
    }

    [Theory]
    [InlineData("""{ "to": "earliest" }""", 0)]
    [InlineData("""{ "to": "latest" }""", 5)]
    [InlineData("""{ "to": "offset", "value": 4 }""", 4)]
    [InlineData("""{ "to": "offset", "value": 400 }""", 5)]
    [InlineData("""{ "to": "shift", "value": 2 }""", 4)]
    [InlineData("""{ "to": "shift", "value": -1 }""", 1)]
    [InlineData("""{ "to": "shift", "value": -9223372036854775808 }""", 0)]
    [InlineData("""{ "to": "shift", "value": 9223372036854775807 }""", 5)]
    [InlineData("""{ "to": "time", "time": "2026-01-01T12:00:00.003Z" }""", 3)]
    [InlineData("""{ "to": "time", "time": "2026-02-01T00:00:00Z" }""", 5)]
    public async Task Offsets_are_moved_when_it_is_said_so_and_only_then(string reset, long after)
    {
        await using ApiNode node = await StartAsync();
        JsonObject tried = await ResetForAsync(node, reset);
        Assert.Equal($"False 2 {after}", Moved(tried));
        Assert.Equal(2, (long?)(await node.GetAsync(Group))["offsets"]![0]!["offset"]);
        JsonObject done = await ResetForAsync(node, reset.Replace("{", "{ \"execute\": true, "));
        Assert.Equal($"True 2 {after}", Moved(done));
        Assert.Equal(after, (long?)(await node.GetAsync(Group))["offsets"]![0]!["offset"]);
    }

    [Fact]
    public async Task A_group_that_is_not_there_begins_where_it_is_told()
    {
        await using ApiNode node = await StartAsync();
        const string Reset =
            """{ "to": "latest", "streams": [ { "stream": "readings", "partitions": [0] } ], "execute": true }""";
        const string Path = "/api/v1/groups/fresh";
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Post, Path + "/reset-offsets", Reset));
        Assert.Equal(5, (long?)(await node.GetAsync(Path))["offsets"]![0]!["offset"]);
    }

    [Theory]
    [InlineData("""{ }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "to": "middle" }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "to": "offset" }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "to": "offset", "value": -1 }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "to": "time" }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "to": "shift", "value": 1, "streams": [ { "stream": "readings" } ] }""",
        HttpStatusCode.BadRequest)]
    [InlineData("""{ "to": "latest", "streams": [ { "stream": "nope" } ] }""", HttpStatusCode.NotFound)]
    [InlineData("""{ "to": "latest", "streams": [ { "stream": "readings", "partitions": [7] } ] }""",
        HttpStatusCode.NotFound)]
    public async Task A_target_that_cannot_be_is_refused(string body, HttpStatusCode status)
    {
        await using ApiNode node = await StartAsync();
        Assert.Equal(status, await ResetAsync(node, body));
    }

    [Fact]
    public async Task Metrics_show_streams_partitions_and_groups()
    {
        await using ApiNode node = await StartAsync();
        string text = await node.Http.GetStringAsync("/metrics");
        const string Stream = "{address_space=\"default\",stream=\"readings\"}";
        Assert.Contains($"pillarbox_stream_partitions{Stream} 2\n", text, StringComparison.Ordinal);
        Assert.Contains($"pillarbox_stream_appended_records_total{Stream} 5\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "pillarbox_partition_end_offset{address_space=\"default\",stream=\"readings\",partition=\"0\"} 5\n", text,
            StringComparison.Ordinal);
        Assert.Matches("pillarbox_group_offsets_bytes\\{address_space=\"default\"\\} [1-9][0-9]{2,3}\n", text);
        Assert.Contains(
            "pillarbox_group_offsets_bytes_max{address_space=\"default\"} 134217728\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "pillarbox_group_offsets_refused_total{address_space=\"default\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "pillarbox_group_stream_lag{address_space=\"default\",group=\"readers\",stream=\"readings\"} 3\n", text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("__consumer_offsets", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_stay_bounded_and_say_what_they_leave_out()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, "/api/v1/streams/small", """{ "partitions": 2 }""");
        await node.StatusAsync(HttpMethod.Put, "/api/v1/streams/large", """{ "partitions": 2001 }""");
        string text = await node.Http.GetStringAsync("/metrics");
        Assert.Contains("pillarbox_stream_partitions{address_space=\"default\",stream=\"large\"} 2001\n", text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("stream=\"large\",partition", text, StringComparison.Ordinal);
        Assert.Contains("stream=\"small\",partition=\"1\"", text, StringComparison.Ordinal);
        Assert.Contains("pillarbox_partitions_without_samples 2001\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_that_only_has_settings_is_listed_and_goes_with_them()
    {
        await using ApiNode node = await StartAsync();
        const string Path = "/api/v1/groups/planned";
        const string Settings = """{ "set": { "share.auto.offset.reset": "earliest" } }""";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Patch, Path, Settings));
        JsonObject all = await node.GetAsync("/api/v1/groups");
        Assert.Equal(
            ["planned share Empty 0 0", "readers classic Empty 0 3"], all["items"]!.AsArray().Select(Summary!));
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, Path));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Path));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, Path));
    }

    [Fact]
    public async Task The_settings_of_a_group_go_with_it_when_nobody_is_in_it()
    {
        await using ApiNode node = await StartAsync();
        const string Settings = """{ "set": { "consumer.session.timeout.ms": "50000" } }""";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Patch, Group, Settings));
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, Group));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Group));

        await node.Host.Broker.JoinAsync("live", "readings");
        const string Live = "/api/v1/groups/live";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Patch, Live, Settings));
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Delete, Live));
        Assert.Equal("50000", (string?)(await node.GetAsync(Live))["config"]!["consumer.session.timeout.ms"]);
    }

    private static async Task<ApiNode> StartAsync()
    {
        ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, "/api/v1/streams/readings", Forever);
        await node.Host.Broker.AppendAsync("readings", 0, Noon, "a", "b", "c", "d", "e");
        await node.Host.Broker.CommitAsync("readers", "readings", 0, 2);
        return node;
    }

    private static string Summary(JsonNode group) =>
        $"{group["name"]} {group["type"]} {group["state"]} {group["memberCount"]} {group["lag"]}";

    private static string Moved(JsonObject result)
    {
        JsonNode move = Assert.Single(result["moves"]!.AsArray())!;
        return $"{(bool)result["executed"]!} {move["before"]} {move["after"]}";
    }

    private static Task<HttpStatusCode> ResetAsync(ApiNode node, string body) =>
        node.StatusAsync(HttpMethod.Post, Group + "/reset-offsets", body);

    private static async Task<JsonObject> ResetForAsync(ApiNode node, string body)
    {
        using HttpResponseMessage response = await node.Http.PostAsync(Group + "/reset-offsets", ApiNode.Json(body));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }
}
