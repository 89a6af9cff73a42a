using System.Net;
using System.Text.Json.Nodes;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

public sealed class QueuesTests
{
    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(253_402_300_800_000)]
    [InlineData(long.MinValue)]
    public async Task Messages_that_expire_at_any_time_at_all_are_shown(long expiresAtMs)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.CreateAsync("orders");
        using var publisher = new Publisher(node.Host.Broker);
        var header = new MessageHeader { Durable = true, Format = PayloadFormat.Amqp, ExpiresAtMs = expiresAtMs };
        await publisher.PublishAsync("orders", header, "far"u8.ToArray());
        Assert.Equal(
            HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues/orders/messages"));
    }

    [Fact]
    public async Task A_queue_is_made_shown_and_deleted()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using HttpResponseMessage made = await node.CreateAsync(
            "news", """{ "address": "news.#", "routingType": "multicast", "filter": "a = 1", "consumersMax": 2 }""");
        Assert.Equal(HttpStatusCode.NoContent, made.StatusCode);
        JsonObject queue = await node.GetAsync("/api/v1/queues/news");
        Assert.Equal("news.#", (string?)queue["address"]);
        Assert.Equal("multicast", (string?)queue["routingType"]);
        Assert.Equal("a = 1", (string?)queue["filter"]);
        Assert.Equal(2, (int?)queue["consumersMax"]);
        Assert.True((bool?)queue["durable"]);
        Assert.Equal(0, (long?)queue["messageCount"]);
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, "/api/v1/queues/news"));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues/news"));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, "/api/v1/queues/news"));
    }

    [Fact]
    public async Task Making_a_queue_again_is_fine_with_the_same_settings_and_a_conflict_with_others()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        const string Path = "/api/v1/queues/orders";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Path, "{}"));
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Path, "{}"));
        const string Other = """{ "routingType": "multicast" }""";
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Put, Path, Other));
    }

    [Theory]
    [InlineData("""{ "to": "first" }""", HttpStatusCode.NoContent)]
    [InlineData("""{ "toOffset": 0, "partition": 0 }""", HttpStatusCode.NoContent)]
    [InlineData("""{ "toTime": "2030-01-31T12:00:00Z" }""", HttpStatusCode.NoContent)]
    [InlineData("""{ "toOffset": 0, "partition": 7 }""", HttpStatusCode.NotFound)]
    [InlineData("""{ "toOffset": -1 }""", HttpStatusCode.BadRequest)]
    [InlineData("""{ "to": "first", "toOffset": 0 }""", HttpStatusCode.BadRequest)]
    [InlineData("{}", HttpStatusCode.BadRequest)]
    public async Task A_queue_that_reads_a_stream_is_rewound(string body, HttpStatusCode status)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        const string Made = """{ "stream": "readings", "from": "first" }""";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, "/api/v1/queues/orders", Made));
        JsonObject queue = await node.GetAsync("/api/v1/queues/orders");
        Assert.Equal(("readings", "readings"), ((string?)queue["stream"], (string?)queue["address"]));
        Assert.Equal(0, (long?)queue["progress"]![0]!["mark"]);
        Assert.Equal(status, await node.StatusAsync(HttpMethod.Post, "/api/v1/queues/orders/rewind", body));
    }

    [Theory]
    [InlineData("""{ "adress": "a" }""")]
    [InlineData("""{ "routingType": "both" }""")]
    [InlineData("""{ "consumersMax": 0 }""")]
    [InlineData("""{ "filter": "a = = b" }""")]
    [InlineData("""{ "address": "" }""")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("null")]
    public async Task A_body_that_cannot_be_used_is_a_bad_request(string body)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Put, "/api/v1/queues/orders", body));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues/orders"));
    }

    [Theory]
    [InlineData("with/slash")]
    [InlineData("with%2Fpercent")]
    [InlineData("with space")]
    [InlineData("zürich-😀")]
    [InlineData("a?b&c=d#e")]
    public async Task Every_name_can_be_reached(string name)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using HttpResponseMessage made = await node.CreateAsync(name);
        Assert.Equal(HttpStatusCode.NoContent, made.StatusCode);
        JsonObject queue = await node.GetAsync($"/api/v1/queues/{Uri.EscapeDataString(name)}");
        Assert.Equal(name, (string?)queue["name"]);
        JsonObject page = await node.GetAsync("/api/v1/queues");
        Assert.Equal(name, (string?)page["items"]![0]!["name"]);
    }

    [Fact]
    public async Task A_name_with_a_control_character_is_refused()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Put, "/api/v1/queues/a%0Ab", "{}"));
        using HttpResponseMessage answer = await node.Http.GetAsync(
            "/api/v1/queues/a%0Ab", TestContext.Current.CancellationToken);
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("the queue name holds the control character U", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_are_counted_browsed_and_purged()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using var publisher = new Publisher(node.Host.Broker);
        var properties = new AmqpMap();
        properties.Set(AmqpValue.String("kind"), "test");
        AmqpMessage message = AmqpMessage.FromValue("hello") with { ApplicationProperties = properties };
        await publisher.PublishAsync("orders", message.ToArray(), AmqpMessage.FromData("raw"u8.ToArray()).ToArray());

        JsonObject queue = await node.GetAsync("/api/v1/queues/orders");
        Assert.Equal(2, (long?)queue["messageCount"]);
        Assert.NotNull(queue["oldestAgeMs"]);

        string all = await node.Http.GetStringAsync("/api/v1/queues/orders/messages");
        JsonArray messages = JsonNode.Parse(all)!.AsArray();
        Assert.Equal(["hello", "raw"], messages.Select(m => (string?)m!["body"]));
        Assert.Equal("test", (string?)messages[0]!["properties"]!["kind"]);
        Assert.True((bool?)messages[0]!["durable"]);
        Assert.Equal(4, (int?)messages[0]!["priority"]);
        string one = await node.Http.GetStringAsync("/api/v1/queues/orders/messages?max=1");
        Assert.Single(JsonNode.Parse(one)!.AsArray());
        string selected = await node.Http.GetStringAsync("/api/v1/queues/orders/messages?selector=kind%3D'test'");
        Assert.Single(JsonNode.Parse(selected)!.AsArray());

        using HttpResponseMessage purged = await node.Http.PostAsync("/api/v1/queues/orders/purge", null);
        Assert.Equal("""{"messages":2}""", await purged.Content.ReadAsStringAsync());
        Assert.Equal(0, (long?)(await node.GetAsync("/api/v1/queues/orders"))["messageCount"]);
    }

    [Fact]
    public async Task A_queue_is_paused_and_resumed()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.CreateAsync("orders");
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Post, "/api/v1/queues/orders/pause"));
        Assert.True((bool?)(await node.GetAsync("/api/v1/queues/orders"))["paused"]);
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Post, "/api/v1/queues/orders/resume"));
        Assert.False((bool?)(await node.GetAsync("/api/v1/queues/orders"))["paused"]);
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Post, "/api/v1/queues/nope/pause"));
    }

    [Fact]
    public async Task Lists_come_in_pages_by_name()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        foreach (string name in (string[])["c", "a", "d1", "b", "d2"])
        {
            await node.CreateAsync(name);
        }

        JsonObject second = await node.GetAsync("/api/v1/queues?page=2&pageSize=2");
        Assert.Equal(["c", "d1"], second["items"]!.AsArray().Select(q => (string?)q!["name"]));
        Assert.Equal(5, (int?)second["total"]);
        Assert.Equal(2, (int?)second["page"]);
        JsonObject beyond = await node.GetAsync("/api/v1/queues?page=1000000&pageSize=1000");
        Assert.Empty(beyond["items"]!.AsArray());
        JsonObject filtered = await node.GetAsync("/api/v1/queues?filter=D");
        Assert.Equal(["d1", "d2"], filtered["items"]!.AsArray().Select(q => (string?)q!["name"]));
    }

    [Theory]
    [InlineData("page=0")]
    [InlineData("page=-1")]
    [InlineData("page=x")]
    [InlineData("page=9999999999999")]
    [InlineData("pageSize=0")]
    [InlineData("pageSize=1001")]
    public async Task A_page_out_of_range_is_a_bad_request(string query)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Get, $"/api/v1/queues?{query}"));
    }
}
