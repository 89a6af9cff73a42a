using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/router/entities</c>: what the router's management agent has, by its types and names; what is
/// configured is made, changed and removed while the node runs.</summary>
internal static class RouterEntityResources
{
    private const string OfType = "/api/v1/router/entities/{type}";
    private const string One = OfType + "/{name}";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", OfType, "Entities of a type: listener, connector, sslProfile, router.config.address, vhost, log ...",
            ListAsync)
        {
            Answer = ApiJson.Default.JsonArray,
        },
        new("POST", OfType, "Makes an entity: its attributes, and its name among them.", CreateAsync)
        {
            Body = ApiJson.Default.JsonObject,
            Answer = ApiJson.Default.JsonObject,
            Status = StatusCodes.Status201Created,
        },
        new("PATCH", One, "Changes attributes of an entity.", UpdateAsync)
        {
            Body = ApiJson.Default.JsonObject,
            Answer = ApiJson.Default.JsonObject,
        },
        new("DELETE", One, "Removes an entity.", DeleteAsync) { Status = StatusCodes.Status204NoContent },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        request.RequireView();
        AmqpValue body = await AskAsync(request, new ManagementRequest
        {
            Operation = "QUERY",
            EntityType = request.Segment("type"),
        });
        body.AsMap()!.TryGet("attributeNames", out AmqpValue names);
        body.AsMap()!.TryGet("results", out AmqpValue rows);
        var all = new JsonArray();
        foreach (AmqpValue row in rows.AsList())
        {
            all.Add((JsonNode)EntityOf(names.AsList(), row.AsList()));
        }

        await request.AnswerAsync(all, ApiJson.Default.JsonArray);
    }

    private static async Task CreateAsync(ApiRequest request)
    {
        JsonObject body = await request.BodyAsync(ApiJson.Default.JsonObject);
        await ChangeAsync(request, new ManagementRequest
        {
            Operation = "CREATE",
            Type = request.Segment("type"),
            Name = body["name"] is JsonValue name ? name.ToString() : null,
            Body = MapOf(body),
        });
    }

    private static async Task UpdateAsync(ApiRequest request) => await ChangeAsync(request, new ManagementRequest
    {
        Operation = "UPDATE",
        Type = request.Segment("type"),
        Name = request.Segment("name"),
        Body = MapOf(await request.BodyAsync(ApiJson.Default.JsonObject)),
    });

    private static async Task DeleteAsync(ApiRequest request)
    {
        RequireManage(request);
        await AskAsync(request, new ManagementRequest
        {
            Operation = "DELETE",
            Type = request.Segment("type"),
            Name = request.Segment("name"),
        });
        await request.AnswerAsync();
    }

    private static async Task ChangeAsync(ApiRequest request, ManagementRequest change)
    {
        RequireManage(request);
        AmqpValue body = await AskAsync(request, change);
        await request.AnswerAsync(JsonNode.Parse(AmqpJson.Write(body))!.AsObject(), ApiJson.Default.JsonObject);
    }

    private static void RequireManage(ApiRequest request) => request.Services.Broker.Authorizer.Authorize(
        request.Who, Permission.Manage, request.Space, new AddressName("#", null));

    private static async Task<AmqpValue> AskAsync(ApiRequest request, ManagementRequest asked)
    {
        Func<ManagementRequest, ValueTask<ManagementReply>> agent = request.Services.ManageRouter
            ?? throw new BrokerException(BrokerError.NotFound, "this node is in no network");
        ManagementReply reply = await agent(asked);
        return reply.Status < StatusCodes.Status300MultipleChoices
            ? reply.Body
            : throw new BrokerException(ErrorOf(reply.Status), reply.Description);
    }

    private static BrokerError ErrorOf(int status) => status switch
    {
        ManagementStatus.NotFound => BrokerError.NotFound,
        ManagementStatus.Forbidden or ManagementStatus.Unauthorized => BrokerError.Unauthorized,
        ManagementStatus.NotImplemented => BrokerError.PreconditionFailed,
        _ => BrokerError.InvalidField,
    };

    private static JsonObject EntityOf(IReadOnlyList<AmqpValue> names, IReadOnlyList<AmqpValue> values)
    {
        var entity = new JsonObject();
        for (int i = 0; i < names.Count && i < values.Count; i++)
        {
            if (!values[i].IsNull)
            {
                entity[names[i].AsText()!] = JsonNode.Parse(AmqpJson.Write(values[i]));
            }
        }

        return entity;
    }

    private static AmqpMap MapOf(JsonObject body)
    {
        var map = new AmqpMap();
        foreach ((string key, JsonNode? value) in body)
        {
            map.Add(key, ValueOf(value));
        }

        return map;
    }

    private static AmqpValue ValueOf(JsonNode? node) => node switch
    {
        null => AmqpValue.Null,
        JsonObject map => AmqpValue.Map(MapOf(map)),
        JsonArray list => AmqpValue.List([.. list.Select(ValueOf)]),
        _ => node.GetValueKind() switch
        {
            JsonValueKind.True => AmqpValue.Boolean(true),
            JsonValueKind.False => AmqpValue.Boolean(false),
            JsonValueKind.Number when node.AsValue().TryGetValue(out long number) => AmqpValue.Long(number),
            _ => AmqpValue.String(node.ToString()),
        },
    };
}
