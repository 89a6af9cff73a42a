using System.CommandLine;
using System.Text.Json.Nodes;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Router;

/// <summary><c>pillarbox router query|create|update|delete TYPE …</c>: what is configured of a router that runs.</summary>
internal static class RouterEntityCommands
{
    private const string Root = "/api/v1/router/entities/";

    private static Argument<string> Type() => new("type")
    {
        Description = "listener, connector, sslProfile, address, linkRoute, autoLink, vhost, log, policy ...",
    };

    private static Argument<string[]> Attributes() => new("attributes")
    {
        Description = "NAME=VALUE of each attribute, as in qdrouterd.conf; maps as JSON.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    /// <summary><c>query</c></summary>
    public static Command Query()
    {
        Argument<string> type = Type();
        ApiVerb verb = new("query", "List the entities of a type with their attributes.") { type };
        return verb.Watches().Reads(async (api, parsed, stop) =>
        {
            JsonArray all = await api.GetAsync(Root + PartOf(parsed.GetValue(type)!), ApiJson.Default.JsonArray, stop);
            return new Reading(
                () => Output.Json(all, ApiJson.Default.JsonArray),
                () => Output.Table(["name", "attributes"], all.Select(entity => Row(entity!.AsObject()))));
        });
    }

    /// <summary><c>create</c></summary>
    public static Command Make()
    {
        Argument<string> type = Type();
        Argument<string[]> attributes = Attributes();
        Option<string?> name = new("--name") { Description = "What to call it." };
        ApiVerb verb = new("create", "Make an entity in the running node.") { type, attributes, name };
        return verb.Reads(async (api, parsed, stop) =>
        {
            JsonObject body = BodyOf(parsed.GetValue(attributes) ?? []);
            if (parsed.GetValue(name) is { } wanted)
            {
                body["name"] = wanted;
            }

            JsonObject made = await api.PostAsync(
                Root + PartOf(parsed.GetValue(type)!), body, ApiJson.Default.JsonObject, ApiJson.Default.JsonObject, stop);
            return Shown(made);
        });
    }

    /// <summary><c>update</c></summary>
    public static Command Update()
    {
        Argument<string> type = Type();
        Argument<string> name = new("name") { Description = "Its name." };
        Argument<string[]> attributes = Attributes();
        ApiVerb verb = new("update", "Change an entity in the running node.") { type, name, attributes };
        return verb.Does((api, parsed, stop) => api.PatchAsync(
            PathOf(parsed.GetValue(type)!, parsed.GetValue(name)!), BodyOf(parsed.GetValue(attributes) ?? []),
            ApiJson.Default.JsonObject, stop));
    }

    /// <summary><c>delete</c></summary>
    public static Command Delete()
    {
        Argument<string> type = Type();
        Argument<string> name = new("name") { Description = "Its name." };
        ApiVerb verb = new("delete", "Remove an entity from the running node.") { type, name };
        return verb.Does((api, parsed, stop) => api.SendAsync(
            HttpMethod.Delete, PathOf(parsed.GetValue(type)!, parsed.GetValue(name)!), stop));
    }

    // The words of qdmanage for long names.
    private static string PartOf(string type) => ApiClient.Part(type switch
    {
        "address" or "linkRoute" or "autoLink" => $"router.config.{type}",
        _ => type,
    });

    private static string PathOf(string type, string name) => $"{Root}{PartOf(type)}/{ApiClient.Part(name)}";

    private static JsonObject BodyOf(string[] attributes)
    {
        var body = new JsonObject();
        foreach (string text in attributes)
        {
            int equals = text.IndexOf('=');
            if (equals <= 0)
            {
                throw new CommandException(ExitCode.Usage, $"'{text}' is not NAME=VALUE");
            }

            body[text[..equals]] = ValueOf(text[(equals + 1)..]);
        }

        return body;
    }

    private static JsonNode ValueOf(string text)
    {
        if (!text.StartsWith('{') || !text.EndsWith('}'))
        {
            return JsonValue.Create(text);
        }

        try
        {
            return JsonNode.Parse(text)!;
        }
        catch (System.Text.Json.JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static Reading Shown(JsonObject made) => new(
        () => Output.Json(made, ApiJson.Default.JsonObject),
        () => Output.Fields([.. made.Select(entry => (entry.Key, entry.Value?.ToString() ?? ""))]));

    private static string[] Row(JsonObject entity) =>
    [
        entity["name"]?.ToString() ?? "",
        string.Join(' ', entity.Where(e => e.Key is not ("name" or "identity" or "type"))
            .Select(e => $"{e.Key}={e.Value?.ToJsonString().Trim('"')}")),
    ];
}
