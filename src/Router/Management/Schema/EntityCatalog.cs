using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management.Schema;

/// <summary>The one list of types. Immutable.</summary>
internal static class EntityCatalog
{
    /// <summary>The agent itself, as the specification of AMQP management names its type.</summary>
    public const string ManagementType = "org.amqp.management";

    private const string OtherPrefix = "io.skupper.router.";

    public static readonly ImmutableArray<string> ManagementOperations =
    [
        "QUERY", "GET-TYPES", "GET-ANNOTATIONS", "GET-OPERATIONS", "GET-ATTRIBUTES", "GET-MGMT-NODES", "GET-SCHEMA",
        "GET-JSON-SCHEMA", "GET-LOG",
    ];

    public static readonly ImmutableArray<EntityType> Types = [.. RouterTypes.All, .. ConfiguredTypes.All];

    /// <summary>Every attribute of every type once.</summary>
    public static readonly ImmutableArray<string> AttributeNames =
        [.. Types.SelectMany(t => t.Attributes).Select(a => a.Name).Distinct()];

    // What other routers have, and why this one has not.
    private static readonly ImmutableDictionary<string, string> NotTaken = new Dictionary<string, string>
    {
        ["router.config.exchange"] = "exchanges were an experiment and are not taken",
        ["router.config.binding"] = "bindings were an experiment and are not taken",
        ["httpListener"] = "HTTP adaptors are not taken: use a TCP service",
        ["httpConnector"] = "HTTP adaptors are not taken: use a TCP service",
        ["console"] = "the console is the node's own",
    }.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>By its long name or its short one. Null: there is none.</summary>
    public static EntityType? Find(string name) => Types.FirstOrDefault(type => type.ShortName == BareOf(name));

    /// <summary>The same, or a <see cref="ManagementException"/> that says what is known of it.</summary>
    public static EntityType Require(string name) => Find(name)
        ?? throw (NotTaken.TryGetValue(BareOf(name), out string? why)
            ? new ManagementException(ManagementStatus.NotImplemented, $"There is no '{BareOf(name)}' here: {why}")
            : new ManagementException(ManagementStatus.NotFound, $"No such entity type '{name}'"));

    private static string BareOf(string name) =>
        name.StartsWith(EntityType.Prefix, StringComparison.Ordinal) ? name[EntityType.Prefix.Length..]
            : name.StartsWith(OtherPrefix, StringComparison.Ordinal) ? name[OtherPrefix.Length..]
            : name;

    /// <summary>Whether a type name stands for the agent itself.</summary>
    public static bool IsManagement(string name) =>
        name is ManagementType or "management" || name == EntityType.Prefix + "management";

    /// <summary>The schema as tools print it.</summary>
    public static AmqpMap Schema()
    {
        AmqpMap types = new();
        foreach (EntityType type in Types)
        {
            AmqpMap attributes = new();
            foreach (EntityAttribute attribute in type.Attributes)
            {
                attributes.Add(attribute.Name, AmqpValue.Map(SchemaOf(attribute)));
            }
            AmqpMap entity = new();
            entity.Add("extends", type.Base);
            entity.Add("operations", AmqpValue.List([.. type.Operations.Prepend("READ").Select(AmqpValue.String)]));
            entity.Add("attributes", AmqpValue.Map(attributes));
            types.Add(type.ShortName, AmqpValue.Map(entity));
        }
        AmqpMap schema = new();
        schema.Add("prefix", EntityType.Prefix.TrimEnd('.'));
        schema.Add("entityTypes", AmqpValue.Map(types));
        return schema;
    }

    private static AmqpMap SchemaOf(EntityAttribute attribute)
    {
        AmqpMap map = new();
        map.Add("type", attribute.Kind switch
        {
            AttributeKind.Word => AmqpValue.List([.. attribute.Words.Select(AmqpValue.String)]),
            AttributeKind.Number => "integer",
            AttributeKind.Flag => "boolean",
            AttributeKind.List => "list",
            AttributeKind.Map => "map",
            _ => "string",
        });
        if (!attribute.Default.IsNull)
        {
            map.Add("default", attribute.Default);
        }
        map.Add("required", attribute.IsRequired);
        map.Add("create", attribute.IsSettable);
        map.Add("update", attribute.IsUpdatable);
        return map;
    }
}
