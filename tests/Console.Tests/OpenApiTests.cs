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
        await node.StatusAsync(HttpMethod.Put, "/api/v1/streams/readings", """{ "partitions": 2 }""");
        await node.StatusAsync(HttpMethod.Put, "/api/v1/quotas", """{ "user": "alice", "quotas": {} }""");
        using var publisher = new Publisher(node.Host.Node.Broker);
        await publisher.PublishAsync("sample", "one"u8.ToArray());
        JsonObject document = await node.GetAsync("/api/v1/openapi.json");
        int checkedAnswers = 0;
        foreach ((string path, JsonNode? operations) in document["paths"]!.AsObject())
        {
            if (operations!["get"] is { } operation)
            {
                checkedAnswers += await CheckAnswerAsync(node, document, path, operation) ? 1 : 0;
            }
        }

        Assert.True(checkedAnswers >= 15, $"only {checkedAnswers} routes answered with what they are for");
    }

    [Fact]
    public void Operations_have_names_of_their_own_and_references_lead_somewhere()
    {
        JsonObject document = OpenApiResource.Document();
        string[] names = [.. document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject())
            .Select(operation => (string)operation.Value!["operationId"]!)];
        Assert.Equal(names.Distinct(), names);
        Assert.Contains("getQueuesQueueMessages", names);
        Assert.All(References(document), reference => Assert.NotNull(SchemaShape.Resolve(document, reference)));
    }

    private static async Task<bool> CheckAnswerAsync(ApiNode node, JsonObject document, string path, JsonNode operation)
    {
        string sample = Name().Replace(path, match => match.Groups[1].Value == "stream" ? "readings" : "sample");
        using HttpResponseMessage response = await node.Http.GetAsync(sample);
        JsonNode responses = operation["responses"]!;
        JsonNode told = responses[$"{(int)response.StatusCode}"] ?? responses["default"]!;
        string mediaType = response.Content.Headers.ContentType!.MediaType!;
        JsonNode? content = told["content"]![mediaType];
        Assert.True(content is not null, $"{path} answers {mediaType}, which is not told");
        if (mediaType.EndsWith("json", StringComparison.Ordinal))
        {
            JsonNode? answer = JsonNode.Parse(await response.Content.ReadAsStringAsync());
            Assert.Empty(new SchemaShape(document).Faults(answer, content["schema"]!, path));
        }

        return response.IsSuccessStatusCode;
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject fields => fields.SelectMany(field =>
            field.Key == "$ref" ? [(string)field.Value!] : References(field.Value)),
        JsonArray items => items.SelectMany(References),
        _ => [],
    };

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
