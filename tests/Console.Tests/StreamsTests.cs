using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

public sealed class StreamsTests
{
    private const string Readings = "/api/v1/streams/readings";
    private const string Forever = """{ "partitions": 2, "config": { "retention.ms": "-1" } }""";
    private const long Noon = 1_767_268_800_000;

    [Fact]
    public async Task A_stream_is_made_shown_changed_and_deleted()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        const string Wanted = """{ "partitions": 3, "config": { "retention.ms": "604800000" } }""";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Readings, Wanted));
        JsonObject stream = await node.GetAsync(Readings);
        Assert.Equal(3, (int?)stream["partitionCount"]);
        Assert.Equal(3, stream["partitions"]!.AsArray().Count);
        Assert.Equal("604800000", (string?)stream["config"]!["retention.ms"]);

        const string Change =
            """{ "partitions": 5, "set": { "cleanup.policy": "compact" }, "reset": ["retention.ms"] }""";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Patch, Readings, Change));
        stream = await node.GetAsync(Readings);
        Assert.Equal(5, (int?)stream["partitionCount"]);
        Assert.Equal("""{"cleanup.policy":"compact"}""", stream["config"]!.ToJsonString());

        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, Readings));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Readings));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, Readings));
    }

    [Fact]
    public async Task Making_a_stream_again_is_fine_with_the_same_settings_and_a_conflict_with_others()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        const string Two = """{ "partitions": 2 }""";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Readings, Two));
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Readings, Two));
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Readings, "{}"));
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Put, Readings, """{"partitions":3}"""));
    }

    [Theory]
    [InlineData("PUT", """{ "partitions": 0 }""")]
    [InlineData("PUT", """{ "partitions": 100001 }""")]
    [InlineData("PUT", """{ "config": { "retention.mss": "1" } }""")]
    [InlineData("PUT", """{ "config": { "retention.ms": "soon" } }""")]
    [InlineData("PUT", """{ "partition": 1 }""")]
    [InlineData("PATCH", """{ "partitions": 1 }""")]
    [InlineData("PATCH", """{ "reset": ["nothing.of.that.name"] }""")]
    [InlineData("PATCH", """{ "set": { "cleanup.policy": "shred" } }""")]
    public async Task What_cannot_be_is_a_bad_request_and_changes_nothing(string method, string body)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, "/api/v1/streams/there", """{ "partitions": 2 }""");
        string name = method == "PUT" ? "other" : "there";
        string path = $"/api/v1/streams/{name}";
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(new HttpMethod(method), path, body));
        JsonObject all = await node.GetAsync("/api/v1/streams");
        Assert.Equal(["there"], all["items"]!.AsArray().Select(s => (string?)s!["name"]));
        Assert.Equal(2, (int?)all["items"]![0]!["partitionCount"]);
        Assert.Equal("{}", all["items"]![0]!["config"]!.ToJsonString());
    }

    [Fact]
    public async Task The_nodes_own_streams_are_shown_when_asked_for_and_stay_as_they_are()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        _ = node.Host.Broker.Coordinators;
        Assert.Empty((await node.GetAsync("/api/v1/streams"))["items"]!.AsArray());
        JsonObject all = await node.GetAsync("/api/v1/streams?internal=true");
        Assert.Contains("__consumer_offsets", all["items"]!.AsArray().Select(s => (string?)s!["name"]));
        const string Path = "/api/v1/streams/__consumer_offsets";
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Delete, Path));
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Patch, Path, """{"partitions":99}"""));
        const string Worse = """{ "set": { "cleanup.policy": "delete" } }""";
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Patch, Path, Worse));
        const string Harmless = """{ "set": { "segment.bytes": "2097152" } }""";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Patch, Path, Harmless));
        JsonObject given = (await node.GetAsync(Path))["config"]!.AsObject();
        Assert.Equal(
            ["cleanup.policy compact", "segment.bytes 2097152"],
            given.Select(setting => $"{setting.Key} {setting.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Records_are_looked_at_from_an_offset_on()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, Readings, Forever);
        await node.Host.Broker.AppendAsync("readings", 0, Noon, "a", "b", "c");
        await node.Host.Broker.AppendAsync("readings", 1, Noon, "x");

        JsonObject read = await ReadAsync(
            node, """{ "positions": [ { "partition": 0, "offset": 1 }, { "partition": 1, "offset": 0 } ] }""");
        Assert.Equal(
            ["0/1 B b", "0/2 C c", "1/0 X x"],
            read["records"]!.AsArray().Select(r => $"{r!["partition"]}/{r["offset"]} {r["key"]} {r["value"]}"));
        Assert.Equal(
            """[{"partition":0,"offset":3},{"partition":1,"offset":1}]""", read["positions"]!.ToJsonString());

        read = await ReadAsync(node, """{ "positions": [ { "partition": 0, "offset": 0 } ], "max": 2 }""");
        Assert.Equal(2, read["records"]!.AsArray().Count);
        Assert.Equal(2, (long?)read["positions"]![0]!["offset"]);
        JsonObject stream = await node.GetAsync(Readings);
        Assert.Equal(4, (long?)stream["appendedRecordsTotal"]);
        Assert.True((long?)stream["readBytesTotal"] > 0);
    }

    [Fact]
    public async Task A_reader_at_the_end_waits_for_the_next_record()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, Readings, Forever);
        Task<JsonObject> waiting = ReadAsync(
            node, """{ "positions": [ { "partition": 0, "offset": 0 } ], "waitMs": 20000 }""");
        await node.Host.Broker.AppendAsync("readings", 0, Noon, "late");
        JsonObject read = await waiting;
        Assert.Equal("late", (string?)read["records"]![0]!["value"]);
    }

    [Fact]
    public async Task A_value_that_is_no_text_comes_in_Base64_and_a_long_one_is_cut()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, Readings, Forever);
        await node.Host.Broker.AppendAsync("readings", 0, Noon, "zürich", "long enough");
        JsonObject read = await ReadAsync(
            node, """{ "positions": [ { "partition": 0, "offset": 0 } ], "valueBytesMax": 2 }""");
        Assert.Equal(["z", "lo"], read["records"]!.AsArray().Select(r => (string?)r!["value"]));
        Assert.Equal([7, 11], read["records"]!.AsArray().Select(r => (int)r!["valueBytes"]!));
    }

    [Theory]
    [InlineData("""{ }""")]
    [InlineData("""{ "positions": [] }""")]
    [InlineData("""{ "positions": [ { "partition": 0, "offset": 0 } ], "max": 0 }""")]
    [InlineData("""{ "positions": [ { "partition": 0, "offset": 0 } ], "waitMs": 60000 }""")]
    public async Task A_reading_that_cannot_be_is_a_bad_request(string body)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, Readings, "{}");
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Post, Readings + "/read", body));
    }

    [Fact]
    public async Task A_moment_is_found_in_each_partition()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.StatusAsync(HttpMethod.Put, Readings, Forever);
        await node.Host.Broker.AppendAsync("readings", 0, Noon, "a", "b", "c");
        Assert.Equal("0 0", await SeekAsync(node, "first"));
        Assert.Equal("3 0", await SeekAsync(node, "last"));
        Assert.Equal("2 -", await SeekAsync(node, "youngest"));
        Assert.Equal("1 -", await SeekAsync(node, "2026-01-01T12:00:00.001Z"));
        Assert.Equal("- -", await SeekAsync(node, "2026-01-02"));
        Assert.Equal(
            HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Get, Readings + "/offsets?at=yesterday"));
    }

    [Fact]
    public async Task Each_operation_asks_for_its_permission()
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.LogIn("admin");
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Readings, "{}"));
        const string Reading = """{ "positions": [ { "partition": 0, "offset": 0 } ] }""";
        node.LogIn("viewer");
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Get, Readings));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Put, Readings + "2", "{}"));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Patch, Readings, """{"reset":[]}"""));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Delete, Readings));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Delete, "/api/v1/groups/g"));
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await node.StatusAsync(HttpMethod.Post, "/api/v1/groups/g/reset-offsets", """{"to":"latest"}"""));
        node.LogIn("client");
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Get, Readings));
        Assert.Empty((await node.GetAsync("/api/v1/streams"))["items"]!.AsArray());
        node.LogIn("admin");
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Post, Readings + "/read", Reading));
    }

    private static async Task<JsonObject> ReadAsync(ApiNode node, string body)
    {
        using HttpResponseMessage response = await node.Http.PostAsync(Readings + "/read", ApiNode.Json(body));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }

    private static async Task<string> SeekAsync(ApiNode node, string at)
    {
        string text = await node.Http.GetStringAsync($"{Readings}/offsets?at={at}");
        return string.Join(' ', JsonNode.Parse(text)!.AsArray().Select(o => o!["offset"]?.ToString() ?? "-"));
    }
}
