using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management.Schema;

/// <summary>A type of entities: its attributes in their order, what may be done, and where its items are.</summary>
internal sealed class EntityType
{
    /// <summary>In front of every short name.</summary>
    public const string Prefix = "org.apache.qpid.dispatch.";

    private readonly Dictionary<string, EntityAttribute> _byName = new(StringComparer.Ordinal);
    private readonly Func<RouterView, IEnumerable<object>> _items;

    public EntityType(
        string shortName, Func<RouterView, IEnumerable<object>> items, params EntityAttribute[] attributes)
    {
        (ShortName, _items) = (shortName, items);
        Attributes =
        [
            new EntityAttribute("name", AttributeKind.Text) { IsSettable = true },
            new EntityAttribute("identity", AttributeKind.Text),
            new EntityAttribute("type", AttributeKind.Text) { IsSettable = true },
            .. attributes,
        ];
        foreach (EntityAttribute attribute in Attributes)
        {
            _byName.Add(attribute.Name, attribute);
            if (attribute.OldName is { } old)
            {
                _byName.Add(old, attribute);
            }
        }
    }

    public string ShortName { get; }

    public string Name => Prefix + ShortName;

    public ImmutableArray<EntityAttribute> Attributes { get; }

    /// <summary>Beside READ, which all have.</summary>
    public ImmutableArray<string> Operations { get; init; } = [];

    /// <summary>configurationEntity or operationalEntity.</summary>
    public string Base { get; init; } = "operationalEntity";

    /// <summary>Identity and name of an item.</summary>
    public required Func<object, (string Identity, string Name)> Named { get; init; }

    public bool Allows(string operation) => operation == "READ" || Operations.Contains(operation);

    public IEnumerable<object> ItemsOf(RouterView view) => _items(view);

    /// <summary>By its name, or the one that it had in older routers.</summary>
    public EntityAttribute? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The value of an attribute; null when the type has none of this name.</summary>
    public AmqpValue ValueOf(object item, string name) => name switch
    {
        "type" => AmqpValue.String(Name),
        "identity" => AmqpValue.String(Named(item).Identity),
        "name" => AmqpValue.String(Named(item).Name),
        _ => Find(name) is { IsSecret: false } attribute ? ValueOf(item, attribute) : AmqpValue.Null,
    };

    /// <summary>All attributes that have a value.</summary>
    public AmqpMap MapOf(object item)
    {
        AmqpMap map = new();
        foreach (EntityAttribute attribute in Attributes)
        {
            AmqpValue value = ValueOf(item, attribute.Name);
            if (!value.IsNull)
            {
                map.Add(attribute.Name, value);
            }
        }
        return map;
    }

    private static AmqpValue ValueOf(object item, EntityAttribute attribute)
    {
        if (attribute.Read is not null)
        {
            return attribute.Read(item);
        }
        return item is ConfiguredEntity entity && entity.Attributes.TryGetValue(attribute.Name, out AmqpValue value)
            ? value
            : attribute.Default;
    }
}
