using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Management;

/// <summary>
/// What an operator sees of access rules and quotas, and changes in them. Any thread. Operations check the identity's
/// permissions on the whole address space and throw <see cref="BrokerException"/> on refusal; what they changed is on
/// disk when they return.
/// </summary>
public sealed class AccessManagement
{
    private const Permission ToChangeRules = Permission.Edit | Permission.Manage;
    private readonly BrokerServices _services;

    internal AccessManagement(BrokerServices services) => _services = services;

    /// <summary>The rules beside the configured permissions. The identity needs to view everything.</summary>
    public IReadOnlyList<AccessRule> ListRules(Identity who, string space) =>
        _services.Rules.List(GrantOnAll(who, Permission.View, space));

    /// <summary>Adds rules, all or none; one that is there already stays. The identity needs to edit and manage
    /// everything. Errors: InvalidField, ResourceLimitExceeded; PreconditionFailed while the node runs without users,
    /// where a rule would hold back nobody.</summary>
    public void AddRules(Identity who, string space, IReadOnlyList<AccessRule> rules)
    {
        Grant grant = GrantOnAll(who, ToChangeRules, space);
        if (_services.Authorizer.ConfigOf(space) is null)
        {
            throw new BrokerException(
                BrokerError.PreconditionFailed,
                "this node has no users, so everybody may do everything: add a user first");
        }

        Keep(() => _services.Rules.Add(grant, rules));
    }

    /// <summary>Removes the rules for which a condition holds, and returns them. The identity needs to edit and manage
    /// everything.</summary>
    public IReadOnlyList<AccessRule> RemoveRules(Identity who, string space, Predicate<AccessRule> which)
    {
        Grant grant = GrantOnAll(who, ToChangeRules, space);
        IReadOnlyList<AccessRule> removed = [];
        Keep(() => removed = _services.Rules.Remove(grant, which));
        return removed;
    }

    /// <summary>The quotas of an address space. The identity needs to view everything.</summary>
    public IReadOnlyDictionary<QuotaEntity, IReadOnlyDictionary<QuotaKind, double>> ListQuotas(
        Identity who, string space) => _services.Quotas.List(GrantOnAll(who, Permission.View, space));

    /// <summary>Sets and removes quotas, all or none. The identity needs to edit everything. Errors: InvalidField,
    /// ResourceLimitExceeded.</summary>
    public void ChangeQuotas(Identity who, string space, IReadOnlyList<QuotaChange> changes)
    {
        Grant grant = GrantOnAll(who, Permission.Edit, space);
        Keep(() => _services.Quotas.Change(grant, changes));
    }

    /// <summary>Removes quotas of somebody; without kinds: all that they have. The identity needs to edit everything.
    /// Errors: NotFound.</summary>
    public void RemoveQuotas(Identity who, string space, QuotaEntity entity, IReadOnlyList<QuotaKind> kinds)
    {
        Grant grant = GrantOnAll(who, Permission.Edit, space);
        if (!_services.Quotas.Of(space).Table.Entries.TryGetValue(
                entity, out IReadOnlyDictionary<QuotaKind, double>? values)
            || kinds.Any(kind => !values.ContainsKey(kind)))
        {
            throw new BrokerException(BrokerError.NotFound, "there is no such quota of just that user and client id");
        }

        IEnumerable<QuotaKind> all = kinds.Count > 0 ? kinds : values.Keys;
        Keep(() => _services.Quotas.Change(grant, [.. all.Select(kind => new QuotaChange(entity, kind, null))]));
    }

    private static void Keep(Action change)
    {
        try
        {
            change();
        }
        catch (StorageException e)
        {
            throw new BrokerException(BrokerError.Unavailable, $"nothing was changed: {e.Message}");
        }
    }

    private Grant GrantOnAll(Identity who, Permission permission, string space) =>
        _services.Spaces.Find(space) is null
            ? throw new BrokerException(BrokerError.NotFound, $"there is no address space '{space}'")
            : _services.Authorizer.Authorize(
                who, permission, space, new AddressName("#", null), ResourceKind.Space);
}
