using Pillarbox.Model;

namespace Pillarbox.Broker.Security;

/// <summary>The one place where permissions are decided. Thread-safe; immutable configuration swapped whole.</summary>
public sealed class Authorizer
{
    internal Authorizer(SecurityConfig? config) => Config = config;

    /// <summary>The configuration in force; null: development mode, everybody may do everything.</summary>
    public SecurityConfig? Config { get; }

    /// <summary>The grant, or <see cref="BrokerException"/> Unauthorized with a sentence that names user, permission
    /// and address.</summary>
    public Grant Authorize(Identity identity, Permission permission, string addressSpace, AddressName name) =>
        throw new NotImplementedException();
}

/// <summary>Permissions as the operator wrote them. Immutable.</summary>
public sealed record SecurityConfig
{
    /// <summary>Address pattern (or exact <c>address::queue</c>) to role to permissions; the single most specific
    /// matching block is the whole truth.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, Permission>> Permissions { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, Permission>>();
}
