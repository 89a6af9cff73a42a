using System.Net;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.Configuration;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary><c>?space=</c> on every resource.</summary>
public sealed class AddressSpaceTests
{
    [Fact]
    public async Task Each_space_has_its_own_queues()
    {
        await using ApiNode node = await ApiNode.StartAsync(config => config with
        {
            AddressSpaces = new Dictionary<string, AddressSpaceConfig>
            {
                ["blue"] = new() { Queues = [new QueueEntryConfig { Name = "orders" }] },
            },
        });
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues/orders"));
        JsonObject queue = await node.GetAsync("/api/v1/queues/orders?space=blue");
        Assert.Equal("orders", (string?)queue["name"]);
        const string Made = "/api/v1/queues/more?space=blue";
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Made, "{}"));
        JsonObject list = await node.GetAsync("/api/v1/queues?space=blue");
        Assert.Equal(["more", "orders"], list["items"]!.AsArray().Select(item => (string?)item!["name"]));
        Assert.Equal(
            HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues?space=nowhere"));
        string metrics = await node.Http.GetStringAsync("/metrics");
        Assert.Contains("{address_space=\"blue\",address=\"orders\"", metrics, StringComparison.Ordinal);
    }
}
