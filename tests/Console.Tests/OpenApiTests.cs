using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

public sealed partial class OpenApiTests
{
    [Fact]
    public async Task The_document_names_exactly_the_routes_that_answer()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.CreateAsync("sample");
        JsonObject document = await node.GetAsync("/api/v1/openapi.json");
        Assert.Equal("3.1.0", (string?)document["openapi"]);
        var documented = new List<string>();
        foreach ((string path, JsonNode? operations) in document["paths"]!.AsObject())
        {
            foreach ((string method, JsonNode? operation) in operations!.AsObject())
            {
                documented.Add($"{method.ToUpperInvariant()} {path}");
                CheckOperation(path, operation!.AsObject());
                string sample = Name().Replace(path, "sample");
                HttpStatusCode status = await node.StatusAsync(new HttpMethod(method), sample, BodyOf(operation));
                bool answers = status is not (HttpStatusCode.MethodNotAllowed or HttpStatusCode.InternalServerError);
                Assert.True(answers, $"{method} {path}: {status}");
            }
        }

        Assert.Equal(ManagementApi.Routes.Select(r => $"{r.Method} {r.Path}").Order(), documented.Order());
    }

    [Fact]
    public async Task Answers_have_the_shape_that_the_document_says()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.CreateAsync("sample");
        JsonObject document = await node.GetAsync("/api/v1/openapi.json");
        string[] paths = ["/api/v1/queues", "/api/v1/addresses", "/api/v1/connections", "/api/v1/node"];
        foreach (string path in paths)
        {
            JsonNode content = document["paths"]![path]!["get"]!["responses"]!["200"]!["content"]!;
            JsonObject properties = content["application/json"]!["schema"]!["properties"]!.AsObject();
            JsonObject answer = await node.GetAsync(path);
            Assert.All(answer, field => Assert.True(properties.ContainsKey(field.Key), $"{path}: {field.Key}"));
        }
    }

    [Theory]
    [InlineData("POST", "/api/v1/node")]
    [InlineData("POST", "/metrics")]
    [InlineData("DELETE", "/api/v1/queues")]
    public async Task Other_methods_are_refused(string method, string path)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        HttpStatusCode status = await node.StatusAsync(new HttpMethod(method), path);
        Assert.True(status is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotFound, $"{status}");
    }

    private static void CheckOperation(string path, JsonObject operation)
    {
        Assert.False(string.IsNullOrEmpty((string?)operation["summary"]));
        IEnumerable<JsonNode?> inPath = operation["parameters"]!.AsArray().Where(p => (string?)p!["in"] == "path");
        Assert.Equal(Name().Matches(path).Select(m => m.Groups[1].Value), inPath.Select(p => (string)p!["name"]!));
        Assert.NotNull(operation["responses"]!["default"]);
    }

    private static string? BodyOf(JsonNode operation) => operation["requestBody"] is null ? null : "{}";

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Name();
}
