namespace Pillarbox.Hosting.RouterConf;

/// <summary>What a <c>qdrouterd.conf</c> may say about one type of entity, and what becomes of it here. Immutable.
/// </summary>
/// <param name="Name">The type.</param>
internal sealed record EntityType(string Name)
{
    /// <summary>Attributes that count.</summary>
    public IReadOnlySet<string> Taken { get; private init; } = new HashSet<string>();

    /// <summary>Attributes that are known and have no effect, with the reason.</summary>
    public IReadOnlyDictionary<string, string> WithoutEffect { get; private init; } = new Dictionary<string, string>();

    /// <summary>Why the whole type is refused; null: it is not.</summary>
    public string? Refusal { get; private init; }

    /// <summary>Every entity has a name.</summary>
    public bool IsKnown(string attribute) =>
        attribute is "name" or "identity" || Taken.Contains(attribute) || WithoutEffect.ContainsKey(attribute);

    /// <summary>All names of attributes.</summary>
    public IEnumerable<string> Attributes => [.. Taken, .. WithoutEffect.Keys, "name"];

    public EntityType Takes(params string[] attributes) => this with { Taken = attributes.ToHashSet() };

    public EntityType Leaves(string why, params string[] attributes)
    {
        var all = new Dictionary<string, string>(WithoutEffect);
        foreach (string attribute in attributes)
        {
            all[attribute] = why;
        }

        return this with { WithoutEffect = all };
    }

    public EntityType Refused(string why) => this with { Refusal = why };
}
