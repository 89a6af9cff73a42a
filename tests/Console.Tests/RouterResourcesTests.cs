using System.Net;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Router;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

public sealed class RouterResourcesTests
{
    private const string Root = "/api/v1/router";

    private static Task<ApiNode> StartAsync() => ApiNode.StartAsync(config => config with
    {
        Router = new RouterSection { Id = "A", Mode = RouterMode.Interior },
    });

    [Fact]
    public async Task A_router_shows_itself()
    {
        await using ApiNode node = await StartAsync();
        JsonObject router = await node.GetAsync(Root);
        Assert.Equal("A", (string?)router["id"]);
        Assert.Equal("interior", (string?)router["mode"]);
        JsonArray nodes = (await node.GetAsync(Root + "/nodes"))["items"]!.AsArray();
        Assert.Equal("(self)", (string?)Assert.Single(nodes)!["nextHop"]);
    }

    [Fact]
    public async Task The_management_address_leads_to_the_node_itself()
    {
        await using ApiNode node = await StartAsync();
        JsonArray addresses = (await node.GetAsync(Root + "/addresses?filter=M0%24"))["items"]!.AsArray();
        Assert.Equal("M0$management", (string?)Assert.Single(addresses)!["key"]);
        JsonObject trace = await node.GetAsync(Root + "/trace?address=%24management");
        Assert.Equal("A", (string?)Assert.Single(trace["destinations"]!.AsArray())!["router"]);
        Assert.Empty((await node.GetAsync(Root + "/links"))["items"]!.AsArray());
        Assert.Empty((await node.GetAsync(Root + "/connections"))["items"]!.AsArray());
    }

    [Theory]
    [InlineData("/path?from=A&to=B", HttpStatusCode.NotFound)]
    [InlineData("/path?from=A", HttpStatusCode.BadRequest)]
    [InlineData("/path?from=A&to=A", HttpStatusCode.OK)]
    [InlineData("/trace?address=nobody", HttpStatusCode.NotFound)]
    [InlineData("/trace", HttpStatusCode.BadRequest)]
    public async Task What_is_asked_wrongly_is_refused(string path, HttpStatusCode expected)
    {
        await using ApiNode node = await StartAsync();
        Assert.Equal(expected, await node.StatusAsync(HttpMethod.Get, Root + path));
    }

    [Fact]
    public async Task A_node_in_no_network_says_so()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Root + "/nodes"));
    }

    [Fact]
    public async Task Who_may_not_view_the_node_sees_nothing_of_it()
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.LogIn("client");
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Get, Root + "/nodes"));
        node.LogIn("viewer");
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Root + "/nodes"));
    }
}
