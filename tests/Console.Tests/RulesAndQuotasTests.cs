using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Pillarbox.Broker;
using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary>Access rules and quotas, those of Kafka's tools too, are shown and changed.</summary>
public sealed class RulesAndQuotasTests
{
    private const string Rules = "/api/v1/access-rules";
    private const string Quotas = "/api/v1/quotas";
    private const string OneRule =
        """{"kind":"address","name":"orders","role":"client","operation":"read","isDenial":true}""";

    [Fact]
    public async Task Rules_and_quotas_are_listed()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        MessageBroker broker = node.Host.Broker;
        Grant grant = broker.Authorizer.Authorize(
            Identity.Node, Permission.Edit, "default", new AddressName("#", null), ResourceKind.Space);
        broker.Authorizer.Rules.Add(
            grant,
            [
                new AccessRule(
                    ResourceKind.Group, "billing-", IsPrefix: true, RuleSubject.User, "alice", RuleOperation.Read,
                    IsDenial: true),
            ]);
        broker.Quotas.Change(
            grant,
            [
                new QuotaChange(
                    new QuotaEntity(QuotaPart.Of("alice"), QuotaPart.Default), QuotaKind.ProducerBytes, 1000),
            ]);
        JsonObject rules = await node.GetAsync(Rules);
        Assert.Equal(
            """{"kind":"group","name":"billing-","isPrefix":true,"user":"alice","operation":"read","isDenial":true}""",
            Assert.Single(rules["items"]!.AsArray())!.ToJsonString());
        JsonObject quotas = await node.GetAsync(Quotas + "?filter=alice");
        JsonNode quota = Assert.Single(quotas["items"]!.AsArray())!;
        Assert.Equal("alice", (string?)quota["user"]);
        Assert.Equal("<default>", (string?)quota["clientId"]);
        Assert.Equal(1000, (double?)quota["values"]!["producer_byte_rate"]);
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Quotas + "?space=nowhere"));
    }

    [Fact]
    public async Task A_rule_that_is_added_holds_until_it_is_removed()
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.LogIn("admin");
        Identity client = new("client", ["client"], IsAnonymous: false);
        bool May() => node.Host.Broker.Authorizer.IsAllowed(
            client, Permission.Consume, "default", new AddressName("orders", null));
        Assert.True(May());
        Assert.Equal(
            HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Post, Rules, $"[{OneRule},{OneRule}]"));
        Assert.False(May());
        Assert.Single((await node.GetAsync(Rules))["items"]!.AsArray());

        Assert.Empty(await RemoveAsync(node, "?name=orders&isDenial=false"));
        Assert.False(May());
        JsonNode removed = Assert.Single(await RemoveAsync(node, "?kind=address&role=client&operation=read"))!;
        Assert.Equal("orders", (string?)removed["name"]);
        Assert.True(May());
    }

    [Fact]
    public async Task Only_who_may_edit_and_manage_everything_changes_rules()
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.LogIn("viewer");
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Get, Rules));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Post, Rules, $"[{OneRule}]"));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Delete, Rules + "?name=orders"));
        const string Quota = """{"user":"viewer","values":{"producer_byte_rate":1}}""";
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Put, Quotas, Quota));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Delete, Quotas + "?user=viewer"));
    }

    [Fact]
    public async Task A_node_without_users_takes_no_rule_that_would_hold_back_nobody()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Equal(HttpStatusCode.Conflict, await node.StatusAsync(HttpMethod.Post, Rules, $"[{OneRule}]"));
        Assert.Empty((await node.GetAsync(Rules))["items"]!.AsArray());
    }

    [Theory]
    [InlineData("""[{"kind":"topic","name":"x","operation":"read"}]""")]
    [InlineData("""[{"kind":"address","name":"x","operation":"peek"}]""")]
    [InlineData("""[{"kind":"address","name":"x","operation":"read","user":"a","role":"b"}]""")]
    [InlineData("""[{"kind":"space","name":"x","operation":"read"}]""")]
    [InlineData("""[{"kind":"address","name":"x.#","operation":"read"}]""")]
    [InlineData("""[{"kind":"address","name":null,"operation":"read"}]""")]
    [InlineData("""[{"kind":"0","name":"x","operation":"read"}]""")]
    [InlineData("[null]")]
    [InlineData("{}")]
    public async Task Rules_that_cannot_be_are_refused_and_nothing_is_added(string body)
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.LogIn("admin");
        string both = body.StartsWith("[{", StringComparison.Ordinal) ? $"[{OneRule},{body[1..]}" : body;
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Post, Rules, both));
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Delete, Rules));
        Assert.Empty((await node.GetAsync(Rules))["items"]!.AsArray());
    }

    [Fact]
    public async Task Quotas_are_set_one_by_one_and_removed()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await SetAsync(
            node, """{"clientId":"<default>","values":{"producer_byte_rate":1000,"consumer_byte_rate":5}}""");
        await SetAsync(node, """{"clientId":"<default>","values":{"consumer_byte_rate":7}}""");
        Assert.Equal(
            """[{"clientId":"<default>","values":{"producer_byte_rate":1000,"consumer_byte_rate":7}}]""",
            (await node.GetAsync(Quotas))["items"]!.ToJsonString().Replace("\\u003C", "<").Replace("\\u003E", ">"));

        const string Entity = Quotas + "?clientId=%3Cdefault%3E";
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, Quotas + "?user=nobody"));
        Assert.Equal(
            HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, Entity + "&quota=request_percentage"));
        Assert.Equal(
            HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, Entity + "&quota=producer_byte_rate"));
        Assert.Equal(
            """{"consumer_byte_rate":7}""",
            Assert.Single((await node.GetAsync(Quotas))["items"]!.AsArray())!["values"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Delete, Entity));
        Assert.Empty((await node.GetAsync(Quotas))["items"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"user":"a","values":{"produce":1}}""")]
    [InlineData("""{"user":"a","values":{"producer_byte_rate":0}}""")]
    [InlineData("""{"user":"a","values":{}}""")]
    [InlineData("""{"user":"a","values":null}""")]
    [InlineData("""{"values":{"producer_byte_rate":1}}""")]
    public async Task Quotas_that_cannot_be_are_refused(string body)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Put, Quotas, body));
        Assert.Empty((await node.GetAsync(Quotas))["items"]!.AsArray());
    }

    private static async Task SetAsync(ApiNode node, string body) =>
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, Quotas, body));

    private static async Task<JsonArray> RemoveAsync(ApiNode node, string query)
    {
        using HttpResponseMessage response = await node.Http.DeleteAsync(Rules + query);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonArray>())!;
    }
}
