using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Schema;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management;

/// <summary>Checks requests for changes against the schema and makes commands of them.</summary>
internal static class ManagementChanges
{
    public static CreateEntity Create(ManagementRequest request)
    {
        string name = request.Type ?? TextOf(request.Body, "type")
            ?? throw Bad("No 'type' property or attribute");
        EntityType type = EntityCatalog.Require(name);
        Require(type, "CREATE");
        var attributes = Checked(type, request.Body, a => a.IsSettable, "set");
        foreach (EntityAttribute attribute in type.Attributes.Where(a => a.IsRequired))
        {
            if (!attributes.ContainsKey(attribute.Name))
            {
                throw Bad($"Missing required attribute '{attribute.Name}'");
            }
        }
        CheckPatterns(type, attributes);
        return new CreateEntity(type.ShortName, request.Name ?? TextOf(request.Body, "name"), attributes);
    }

    public static DeleteEntity Delete(ManagementRequest request, RouterView view)
    {
        (EntityType type, object item) = ManagementQuery.Find(request, view);
        Require(type, "DELETE");
        return new DeleteEntity((ConfiguredEntity)item);
    }

    public static RouterCommand Update(ManagementRequest request, RouterView view)
    {
        (EntityType type, object item) = ManagementQuery.Find(request, view);
        Require(type, "UPDATE");
        var changes = Checked(type, request.Body, a => a.IsUpdatable, "updated");
        return item switch
        {
            LinkView link => UpdateLink(link, changes),
            ConnectionView connection => UpdateConnection(connection, changes),
            _ => new UpdateEntity((ConfiguredEntity)item, changes),
        };
    }

    private static SetLinkEnabled UpdateLink(LinkView link, ImmutableDictionary<string, AmqpValue> changes) =>
        changes.GetValueOrDefault("adminStatus").AsText() switch
        {
            "enabled" => new SetLinkEnabled(link.Id, true),
            "disabled" => new SetLinkEnabled(link.Id, false),
            _ => throw Bad("adminStatus is enabled or disabled"),
        };

    private static RouterCommand UpdateConnection(
        ConnectionView connection, ImmutableDictionary<string, AmqpValue> changes)
    {
        if (changes.TryGetValue("enableProtocolTrace", out AmqpValue trace))
        {
            return new SetConnectionTrace(connection.Id, trace.AsBoolean());
        }
        if (changes.GetValueOrDefault("adminStatus").AsText() != "deleted")
        {
            throw Bad("adminStatus of a connection can only be deleted");
        }
        return connection.Role is "inter-router" or "edge"
            ? throw new ManagementException(
                ManagementStatus.Forbidden, "You are not allowed to perform this operation.")
            : new CloseConnection(connection.Id);
    }

    // Values that are the same for all entities may stand in a body, as tools send back what they have read.
    private static ImmutableDictionary<string, AmqpValue> Checked(
        EntityType type, AmqpMap body, Func<EntityAttribute, bool> isFit, string what)
    {
        var found = ImmutableDictionary.CreateBuilder<string, AmqpValue>(StringComparer.Ordinal);
        foreach ((AmqpValue key, AmqpValue value) in body)
        {
            string name = key.AsText() ?? throw Bad("The name of an attribute is no text");
            if (name is "type" or "name" or "identity" || value.IsNull)
            {
                continue;
            }
            EntityAttribute attribute = type.Find(name)
                ?? throw Bad($"'{type.Name}' has no attribute '{name}'");
            if (!isFit(attribute))
            {
                throw Bad($"Attribute '{name}' cannot be {what}");
            }
            found[attribute.Name] = attribute.Accept(value) is { IsNull: false } accepted
                ? accepted
                : throw Bad($"Invalid value '{value}' for attribute '{name}'");
        }
        return found.ToImmutable();
    }

    private static void CheckPatterns(EntityType type, ImmutableDictionary<string, AmqpValue> attributes)
    {
        bool isEither = type.ShortName is "router.config.address" or "router.config.linkRoute";
        if (isEither && attributes.ContainsKey("prefix") == attributes.ContainsKey("pattern"))
        {
            throw Bad("Either 'prefix' or 'pattern' has to be given, and not both");
        }
    }

    private static void Require(EntityType type, string operation)
    {
        if (!type.Allows(operation))
        {
            throw new ManagementException(
                ManagementStatus.NotImplemented, $"Operation '{operation}' not implemented on {type.Name}");
        }
    }

    private static string? TextOf(AmqpMap map, string key) =>
        map.TryGet(key, out AmqpValue value) ? value.AsText() : null;

    private static ManagementException Bad(string description) => new(ManagementStatus.BadRequest, description);
}
