using System.Collections.Immutable;
using System.Globalization;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management.Schema;

/// <summary>What values an attribute takes.</summary>
internal enum AttributeKind
{
    Text,
    Number,
    Flag,

    /// <summary>One of a few words.</summary>
    Word,
    List,
    Map,
}

/// <summary>An attribute of a type of entities.</summary>
internal sealed record EntityAttribute(string Name, AttributeKind Kind)
{
    /// <summary>The words of a <see cref="AttributeKind.Word"/>.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    public AmqpValue Default { get; init; }

    public bool IsRequired { get; init; }

    /// <summary>The name that it had in older routers, which old tools still use; null: the same.</summary>
    public string? OldName { get; init; }

    /// <summary>False: it tells a state and cannot be set.</summary>
    public bool IsSettable { get; init; }

    public bool IsUpdatable { get; init; }

    /// <summary>Never shown.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Its value in an item of its type; null: it is looked up by name.</summary>
    public Func<object, AmqpValue>? Read { get; init; }

    /// <summary>The value if it is one, or is written as text; null: it is none.</summary>
    public AmqpValue Accept(AmqpValue value) => Kind switch
    {
        // Ports are names or numbers.
        AttributeKind.Text when value.TryGetInt64(out long number) => number.ToString(CultureInfo.InvariantCulture),
        AttributeKind.Text => value.AsText(),
        AttributeKind.Word => value.AsText() is { } word && Words.Contains(word) ? word : AmqpValue.Null,
        AttributeKind.Number when value.TryGetInt64(out long number) => number,
        AttributeKind.Number => long.TryParse(value.AsText(), out long number) ? number : AmqpValue.Null,
        AttributeKind.Flag when value.Type == AmqpType.Boolean => value,
        AttributeKind.Flag => FlagOf(value.AsText()),
        AttributeKind.List => value.Type == AmqpType.List ? value : AmqpValue.Null,
        _ => value.Type == AmqpType.Map ? value : AmqpValue.Null,
    };

    private static AmqpValue FlagOf(string? text) => text?.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" or "1" => AmqpValue.Boolean(true),
        "false" or "no" or "off" or "0" => AmqpValue.Boolean(false),
        _ => AmqpValue.Null,
    };
}
