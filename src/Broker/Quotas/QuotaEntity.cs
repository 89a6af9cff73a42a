namespace Pillarbox.Broker.Quotas;

/// <summary>How a part of an entity says whom it means.</summary>
public enum QuotaScope
{
    /// <summary>The part is not there: everybody, together with whoever else is meant.</summary>
    Absent,

    /// <summary>Everybody who has no quota of a name; each is counted alone.</summary>
    Default,

    /// <summary>The one of this name.</summary>
    Named,
}

/// <summary>A user, or a client id, of an entity.</summary>
public readonly record struct QuotaPart(QuotaScope Scope, string? Name)
{
    /// <summary>Not there.</summary>
    public static readonly QuotaPart Absent;

    /// <summary>Everybody without a name's quota.</summary>
    public static readonly QuotaPart Default = new(QuotaScope.Default, null);

    /// <summary>The one of a name.</summary>
    public static QuotaPart Of(string name) => new(QuotaScope.Named, name);
}

/// <summary>Whom a quota is for: a user, a client id, or a user with a client id.</summary>
public readonly record struct QuotaEntity(QuotaPart User, QuotaPart Client);

/// <summary>A quota to set; without a value: to remove.</summary>
public readonly record struct QuotaChange(QuotaEntity Entity, QuotaKind Kind, double? Value);
