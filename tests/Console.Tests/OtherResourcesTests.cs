using System.Net;
using System.Text.Json.Nodes;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

public sealed class OtherResourcesTests
{
    [Fact]
    public async Task The_node_shows_itself()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.CreateAsync("orders");
        JsonObject shown = await node.GetAsync("/api/v1/node");
        Assert.Equal("started", (string?)shown["state"]);
        Assert.Equal(1, (int?)shown["queues"]);
        Assert.False((bool?)shown["diskFull"]);
    }

    [Fact]
    public async Task Addresses_are_listed_and_shown()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using var publisher = new Publisher(node.Host.Broker);
        await publisher.PublishAsync("orders", AmqpMessage.FromValue("x").ToArray());
        JsonObject page = await node.GetAsync("/api/v1/addresses");
        Assert.Contains("orders", page["items"]!.AsArray().Select(a => (string?)a!["name"]));
        JsonObject address = await node.GetAsync("/api/v1/addresses/orders");
        Assert.Equal(["orders"], address["queues"]!.AsArray().Select(q => (string?)q));
        Assert.Equal(1, (long?)address["routedTotal"]);
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, "/api/v1/addresses/nope"));
    }

    [Fact]
    public async Task Connections_are_listed_and_asked_to_close()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using var publisher = new Publisher(node.Host.Broker, Identity.Anonymous);
        await publisher.PublishAsync("orders", AmqpMessage.FromValue("x").ToArray());
        JsonObject page = await node.GetAsync("/api/v1/connections");
        JsonNode connection = Assert.Single(page["items"]!.AsArray())!;
        Assert.Equal("publisher", (string?)connection["clientId"]);
        Assert.Equal(1, (int?)connection["producers"]);
        string path = $"/api/v1/connections/{Uri.EscapeDataString((string)connection["id"]!)}";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, path));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, "/api/v1/connections/nope"));
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/started")]
    [InlineData("/health/ready")]
    [InlineData("/healthz")]
    public async Task Health_is_good_on_a_running_node(string path)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Equal("ok", await node.Http.GetStringAsync(path));
    }
}
