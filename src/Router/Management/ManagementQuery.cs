using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Schema;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management;

/// <summary>Finds entities in a view.</summary>
internal static class ManagementQuery
{
    /// <summary>
    /// {attributeNames, results}: a row for each entity, a column for each name. A name that no entity of the query
    /// could have is an error; a row of nulls is left out.
    /// </summary>
    public static AmqpValue Run(ManagementRequest request, EntityType? type, RouterView view)
    {
        IReadOnlyList<string> all = type is not null
            ? [.. type.Attributes.Select(a => a.Name)] : EntityCatalog.AttributeNames;
        IReadOnlyList<string> names = request.AttributeNames is { Length: > 0 } asked ? asked : all;
        if (names.FirstOrDefault(name => !IsKnown(type, name)) is { } unknown)
        {
            throw new ManagementException(
                ManagementStatus.NotFound,
                $"Unknown attributes ['{unknown}']{(type is null ? "" : $" for type {type.Name}")}.");
        }

        IEnumerable<EntityType> types = type is null ? EntityCatalog.Types : [type];
        IEnumerable<AmqpValue[]> rows = types
            .SelectMany(t => t.ItemsOf(view), (t, item) => names.Select(n => t.ValueOf(item, n)).ToArray())
            .Where(row => Array.Exists(row, v => !v.IsNull))
            .Skip((int)Math.Min(request.Offset, int.MaxValue));
        if (request.Count is { } count)
        {
            rows = rows.Take((int)Math.Min(count, int.MaxValue));
        }
        AmqpMap body = new();
        body.Add("attributeNames", AmqpValue.List([.. names.Select(AmqpValue.String)]));
        body.Add("results", AmqpValue.List([.. rows.Select(row => AmqpValue.List(row))]));
        return AmqpValue.Map(body);
    }

    /// <summary>
    /// The entity that a request names by identity or name, of its type or of any; of several what was configured.
    /// </summary>
    public static (EntityType Type, object Item) Find(ManagementRequest request, RouterView view)
    {
        if (request.Identity is null && request.Name is null)
        {
            throw new ManagementException(ManagementStatus.BadRequest, "No 'name' or 'identity' property");
        }
        EntityType? wanted = request.Type is { Length: > 0 } name ? EntityCatalog.Require(name) : null;
        IEnumerable<EntityType> types = wanted is null ? EntityCatalog.Types.Reverse() : [wanted];
        foreach (EntityType type in types)
        {
            if (type.ItemsOf(view).FirstOrDefault(item => IsNamed(type, item, request)) is { } found)
            {
                return (type, found);
            }
        }
        string what = request.Identity is { } identity ? $"identity='{identity}'" : $"name='{request.Name}'";
        throw new ManagementException(ManagementStatus.NotFound, $"No entity with {what}");
    }

    private static bool IsKnown(EntityType? type, string name) => type is not null
        ? type.Find(name) is not null
        : EntityCatalog.Types.Any(known => known.Find(name) is not null);

    // What has no name of its own is called by its identity.
    private static bool IsNamed(EntityType type, object item, ManagementRequest request)
    {
        (string identity, string name) = type.Named(item);
        return request.Identity is { } wanted ? identity == wanted : name == request.Name || identity == request.Name;
    }
}
