using System.Net;
using System.Text.Json.Nodes;
using Pillarbox.Broker;
using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary>What was set by Kafka's tools is shown.</summary>
public sealed class RulesAndQuotasTests
{
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
        JsonObject rules = await node.GetAsync("/api/v1/access-rules");
        Assert.Equal(
            """{"kind":"group","name":"billing-","isPrefix":true,"user":"alice","operation":"read","isDenial":true}""",
            Assert.Single(rules["items"]!.AsArray())!.ToJsonString());
        JsonObject quotas = await node.GetAsync("/api/v1/quotas?filter=alice");
        JsonNode quota = Assert.Single(quotas["items"]!.AsArray())!;
        Assert.Equal("alice", (string?)quota["user"]);
        Assert.Equal("<default>", (string?)quota["clientId"]);
        Assert.Equal(1000, (double?)quota["values"]!["producer_byte_rate"]);
        Assert.Equal(
            HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, "/api/v1/quotas?space=nowhere"));
    }
}
