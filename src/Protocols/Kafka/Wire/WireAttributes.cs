namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>
/// Declares a request or a response. Wire.Generator writes its <c>Read</c> and <c>Write</c> for every version from
/// the properties marked with <see cref="FieldAttribute"/>, in the order in which they stand.
/// </summary>
/// <param name="key">The API.</param>
/// <param name="versions">The versions that exist, as <c>0-13</c>.</param>
/// <param name="flexible">The versions with compact lengths and tagged fields, as <c>9+</c>; empty: none.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class KafkaMessageAttribute(ApiKey key, string versions, string flexible = "") : Attribute
{
    public ApiKey Key { get; } = key;

    public string Versions { get; } = versions;

    public string Flexible { get; } = flexible;
}

/// <summary>A field: the versions that have it, as <c>3+</c>, <c>0-4</c> or <c>2</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FieldAttribute(string versions) : Attribute
{
    public string Versions { get; } = versions;

    /// <summary>The versions in which it may be null.</summary>
    public string Nullable { get; init; } = "";

    /// <summary>The number of a tagged field; absent when it has the value that a new object has.</summary>
    public int Tag { get; init; } = -1;
}
