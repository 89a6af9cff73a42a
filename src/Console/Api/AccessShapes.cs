namespace Pillarbox.ConsoleApi;

/// <summary>A rule beside the configured permissions, as the API shows it.</summary>
public sealed record AccessRuleResource
{
    /// <summary>address, group, transaction or space.</summary>
    public required string Kind { get; init; }

    /// <summary>The name, the beginning of names, or <c>*</c>.</summary>
    public required string Name { get; init; }

    public bool IsPrefix { get; init; }

    /// <summary>The user that it is for; null: no single one.</summary>
    public string? User { get; init; }

    /// <summary>The role that it is for; null, and no user: everybody.</summary>
    public string? Role { get; init; }

    /// <summary>all, read, write, create, delete, alter, describe, describeSettings or alterSettings; of the space also
    /// idempotentWrite.</summary>
    public required string Operation { get; init; }

    /// <summary>Whether it forbids.</summary>
    public bool IsDenial { get; init; }
}

/// <summary>The quotas of a user, a client id, or both, as the API shows them.</summary>
public sealed record QuotaResource
{
    /// <summary>The user; <c>&lt;default&gt;</c>: everybody without an own quota; null: it does not matter.</summary>
    public string? User { get; init; }

    /// <summary>The client id, in the same way.</summary>
    public string? ClientId { get; init; }

    /// <summary>How much a second, by the name of the quota.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }
}
