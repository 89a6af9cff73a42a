using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// <c>/api/v1/openapi.json</c>: the API's own description (OpenAPI 3.1), made of the table of routes.
/// </summary>
internal static partial class OpenApiResource
{
    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/openapi.json", "This document.", WriteAsync)
        {
            NeedsLogin = false,
            Answer = ApiJson.Default.JsonObject,
        },
    ];

    private static readonly JsonSerializerOptions Readable = new(ApiJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // Schemas of lists of things nest deeper than any request may.
        MaxDepth = 64,
    };

    private static Task WriteAsync(ApiRequest request)
    {
        request.Context.Response.ContentType = "application/json; charset=utf-8";
        return request.Context.Response.WriteAsync(Document().ToJsonString(Readable));
    }

    /// <summary>The document.</summary>
    internal static JsonObject Document()
    {
        var paths = new JsonObject();
        foreach (ApiRoute route in ManagementApi.Routes)
        {
            if (!paths.ContainsKey(route.Path))
            {
                paths.Add(route.Path, new JsonObject());
            }

            paths[route.Path]![route.Method.ToLowerInvariant()] = Operation(route);
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Pillarbox management",
                ["version"] = "1",
                ["description"] = "Figures and operations of one node. Errors are application/problem+json.",
            },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["basic"] = new JsonObject { ["type"] = "http", ["scheme"] = "basic" },
                },
                ["schemas"] = new JsonObject { ["Problem"] = Schema(ApiJson.Default.Problem) },
            },
        };
    }

    private static JsonObject Operation(ApiRoute route)
    {
        var operation = new JsonObject
        {
            ["operationId"] = NameOf(route),
            ["summary"] = route.Summary,
            ["parameters"] = Parameters(route),
            ["responses"] = Responses(route),
        };
        if (route.Body is not null)
        {
            operation["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = Content("application/json", Schema(route.Body)),
            };
        }

        if (route.NeedsLogin)
        {
            operation["security"] = new JsonArray(new JsonObject { ["basic"] = new JsonArray() });
        }

        return operation;
    }

    /// <summary>getQueuesQueueMessages, of <c>GET /api/v1/queues/{queue}/messages</c>: what generated clients call it.
    /// </summary>
    private static string NameOf(ApiRoute route)
    {
        IEnumerable<string> words = Word().Matches(route.Path.Replace("/api/v1/", "/", StringComparison.Ordinal))
            .Select(match => char.ToUpperInvariant(match.Value[0]) + match.Value[1..]);
        return route.Method.ToLowerInvariant() + string.Concat(words);
    }

    private static JsonArray Parameters(ApiRoute route)
    {
        var parameters = new JsonArray();
        foreach (Match match in PathParameter().Matches(route.Path))
        {
            parameters.Add(Parameter(match.Groups[1].Value, "path", "string", "The name, percent-encoded."));
        }

        foreach (QueryParameter query in route.Query)
        {
            parameters.Add(Parameter(query.Name, "query", query.Type, query.Description));
        }

        if (route.NeedsLogin)
        {
            const string Space = "The address space; default: the user's own, else 'default'.";
            parameters.Add(Parameter(ApiRequest.SpaceParameter, "query", "string", Space));
        }

        return parameters;
    }

    private static JsonNode Parameter(string name, string place, string type, string description) => new JsonObject
    {
        ["name"] = name,
        ["in"] = place,
        ["required"] = place == "path",
        ["description"] = description,
        ["schema"] = new JsonObject { ["type"] = type },
    };

    private static JsonObject Responses(ApiRoute route)
    {
        var success = new JsonObject { ["description"] = "Done." };
        if (route.Answer is not null || route.MediaType != "application/json")
        {
            JsonNode schema = route.Answer is null ? new JsonObject { ["type"] = "string" } : Schema(route.Answer);
            success["content"] = Content(route.MediaType, schema);
        }

        var problem = new JsonObject { ["$ref"] = "#/components/schemas/Problem" };
        var responses = new JsonObject { [$"{route.Status}"] = success };
        if (route.TextFault is { } status)
        {
            responses[$"{status}"] = new JsonObject
            {
                ["description"] = "Not so now; the text says why.",
                ["content"] = Content("text/plain", new JsonObject { ["type"] = "string" }),
            };
        }

        responses["default"] = new JsonObject
        {
            ["description"] = "Refused or failed.",
            ["content"] = Content("application/problem+json", problem),
        };
        return responses;
    }

    private static JsonObject Content(string mediaType, JsonNode schema) =>
        new() { [mediaType] = new JsonObject { ["schema"] = schema } };

    private static JsonNode Schema(JsonTypeInfo type) => type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = LeaveOptional,
    });

    // What is null is left out of answers, and may be left out of requests.
    private static JsonNode LeaveOptional(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is JsonObject schema && schema["required"] is JsonArray required)
        {
            HashSet<string> optional = [.. context.TypeInfo.Properties.Where(p => p.IsGetNullable).Select(p => p.Name)];
            required.RemoveAll(name => optional.Contains((string)name!));
            if (required.Count == 0)
            {
                schema.Remove("required");
            }
        }

        return node;
    }

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameter();
}
