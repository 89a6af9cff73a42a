using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management.Schema;

/// <summary>Declares attributes that are read from views of one type.</summary>
internal static class AttributesOf<T>
{
    public static EntityAttribute Text(string name, Func<T, string?> read) =>
        new(name, AttributeKind.Text) { Read = item => read((T)item) };

    public static EntityAttribute Number(string name, Func<T, long?> read) => new(name, AttributeKind.Number)
    {
        Read = item => read((T)item) is { } number ? AmqpValue.Long(number) : AmqpValue.Null,
    };

    public static EntityAttribute Flag(string name, Func<T, bool> read) =>
        new(name, AttributeKind.Flag) { Read = item => read((T)item) };

    public static EntityAttribute Texts(string name, Func<T, IEnumerable<string>> read) => new(name, AttributeKind.List)
    {
        Read = item => AmqpValue.List([.. read((T)item).Select(AmqpValue.String)]),
    };

    public static EntityAttribute Numbers(string name, Func<T, IReadOnlyCollection<long>> read) =>
        new(name, AttributeKind.List)
        {
            Read = item => read((T)item) is { Count: > 0 } numbers
                ? AmqpValue.List([.. numbers.Select(AmqpValue.Long)])
                : AmqpValue.Null,
        };

    public static EntityAttribute Map(string name, Func<T, AmqpMap?> read) => new(name, AttributeKind.Map)
    {
        Read = item => read((T)item) is { } map ? AmqpValue.Map(map) : AmqpValue.Null,
    };
}

/// <summary>Declares attributes that an operator sets, looked up by name.</summary>
internal static class Setting
{
    public static EntityAttribute Text(string name, string? byDefault = null) =>
        new(name, AttributeKind.Text) { IsSettable = true, Default = byDefault };

    public static EntityAttribute Number(string name, long? byDefault = null) => new(name, AttributeKind.Number)
    {
        IsSettable = true,
        Default = byDefault is { } number ? AmqpValue.Long(number) : AmqpValue.Null,
    };

    public static EntityAttribute Flag(string name, bool? byDefault = null) => new(name, AttributeKind.Flag)
    {
        IsSettable = true,
        Default = byDefault is { } flag ? AmqpValue.Boolean(flag) : AmqpValue.Null,
    };

    /// <summary>One of some words; the first is the default.</summary>
    public static EntityAttribute Word(string name, params string[] words) => new(name, AttributeKind.Word)
    {
        IsSettable = true,
        Words = [.. words],
        Default = words[0],
    };

    public static EntityAttribute Map(string name) => new(name, AttributeKind.Map) { IsSettable = true };

    /// <summary>A state that its owner tells.</summary>
    public static EntityAttribute State(string name, AttributeKind kind = AttributeKind.Text) => new(name, kind);
}
