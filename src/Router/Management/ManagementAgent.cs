using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Schema;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management;

/// <summary>
/// The management agent of a router, at the address <c>$management</c>: answers requests from a view, turns changes
/// into commands. Pure: any thread, nothing is kept. Who may ask is for the caller to decide.
/// </summary>
public static class ManagementAgent
{
    /// <summary>The address, on every router; <c>_topo/0/ID/$management</c> is that of one.</summary>
    public const string Address = "$management";

    /// <summary>Answers a request. Whatever is wrong with it becomes a reply.</summary>
    public static ManagementAnswer Handle(ManagementRequest request, RouterView view)
    {
        try
        {
            return request.Operation switch
            {
                "" => throw new ManagementException(ManagementStatus.BadRequest, "No 'operation' property"),
                "CREATE" => Command(ManagementChanges.Create(request)),
                "READ" => Reply(Read(request, view)),
                "UPDATE" => Command(ManagementChanges.Update(request, view)),
                "DELETE" => Command(ManagementChanges.Delete(request, view)),
                _ => Reply(Ask(request, view)),
            };
        }
        catch (ManagementException refused)
        {
            return new ManagementAnswer { Reply = ManagementReply.Failed(refused.Status, refused.Message) };
        }
    }

    private static ManagementAnswer Reply(AmqpValue body) => new() { Reply = ManagementReply.Ok(body) };

    private static ManagementAnswer Command(RouterCommand command) => new() { Command = command };

    // What is asked of the agent itself.
    private static AmqpValue Ask(ManagementRequest request, RouterView view)
    {
        EntityType? type = EntityTypeOf(request);
        IEnumerable<EntityType> types = type is null ? EntityCatalog.Types : [type];
        return request.Operation switch
        {
            "QUERY" => ManagementQuery.Run(request, type, view),
            "GET-TYPES" => Each(types, t => Texts([EntityType.Prefix + t.Base, EntityType.Prefix + "entity"])),
            "GET-ATTRIBUTES" => Each(types, t => Texts(t.Attributes.Select(a => a.Name))),
            "GET-OPERATIONS" => OperationsOf(types, type is null),
            "GET-ANNOTATIONS" => AmqpValue.Map(new AmqpMap()),
            "GET-MGMT-NODES" => Texts(view.Routes.Routers.Select(r => r.Id).Append(view.Id).Order(
                StringComparer.Ordinal).Select(RouterTypes.AgentOf)),
            "GET-SCHEMA" => AmqpValue.Map(EntityCatalog.Schema()),
            "GET-JSON-SCHEMA" => AmqpJson.Write(AmqpValue.Map(EntityCatalog.Schema())),
            "GET-LOG" => LogOf(request, view),
            _ => throw new ManagementException(
                ManagementStatus.NotImplemented, $"Operation '{request.Operation}' not implemented"),
        };
    }

    private static AmqpValue Read(ManagementRequest request, RouterView view)
    {
        if (request.Type is { } name && EntityCatalog.IsManagement(name))
        {
            AmqpMap self = new();
            self.Add("identity", "self");
            self.Add("name", "self");
            self.Add("type", EntityCatalog.ManagementType);
            return AmqpValue.Map(self);
        }
        (EntityType type, object item) = ManagementQuery.Find(request, view);
        return AmqpValue.Map(type.MapOf(item));
    }

    private static EntityType? EntityTypeOf(ManagementRequest request)
    {
        if (request.EntityType is not { Length: > 0 } name || EntityCatalog.IsManagement(name))
        {
            return null;
        }
        return EntityCatalog.Require(name);
    }

    private static AmqpValue OperationsOf(IEnumerable<EntityType> types, bool all)
    {
        AmqpValue operations = Each(types, t => Texts(t.Operations.Prepend("READ")));
        if (all)
        {
            operations.AsMap()!.Add(EntityCatalog.ManagementType, Texts(EntityCatalog.ManagementOperations));
        }
        return operations;
    }

    private static AmqpValue LogOf(ManagementRequest request, RouterView view)
    {
        int count = (int)Math.Min(request.Limit ?? view.Log.Length, view.Log.Length);
        return AmqpValue.List(
        [
            .. view.Log.TakeLast(count).Select(line => AmqpValue.List(
                line.Module, line.Level, line.Text, AmqpValue.Null, AmqpValue.Null, line.UnixSeconds)),
        ]);
    }

    private static AmqpValue Each(IEnumerable<EntityType> types, Func<EntityType, AmqpValue> value)
    {
        AmqpMap map = new();
        foreach (EntityType type in types)
        {
            map.Add(type.Name, value(type));
        }
        return AmqpValue.Map(map);
    }

    private static AmqpValue Texts(IEnumerable<string> texts) =>
        AmqpValue.List([.. texts.Select(AmqpValue.String)]);
}
