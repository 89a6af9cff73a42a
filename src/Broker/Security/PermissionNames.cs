namespace Pillarbox.Broker.Security;

/// <summary>Permissions as configuration files write them: <c>createAddress</c>, <c>send</c>, ...</summary>
public static class PermissionNames
{
    private static readonly (string Name, Permission Permission)[] Table =
    [
        ("createAddress", Permission.CreateAddress),
        ("deleteAddress", Permission.DeleteAddress),
        ("createDurableQueue", Permission.CreateDurableQueue),
        ("deleteDurableQueue", Permission.DeleteDurableQueue),
        ("createNonDurableQueue", Permission.CreateNonDurableQueue),
        ("deleteNonDurableQueue", Permission.DeleteNonDurableQueue),
        ("send", Permission.Send),
        ("consume", Permission.Consume),
        ("browse", Permission.Browse),
        ("manage", Permission.Manage),
        ("view", Permission.View),
        ("edit", Permission.Edit),
    ];

    /// <summary>All names, in the order of the flags.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Table.Select(static row => row.Name)];

    /// <summary>The permission by its exact name; false when there is none.</summary>
    public static bool TryParse(string name, out Permission permission)
    {
        foreach ((string known, Permission value) in Table)
        {
            if (known == name)
            {
                permission = value;
                return true;
            }
        }

        permission = Permission.None;
        return false;
    }

    /// <summary>The names of a set of permissions, joined by ", "; <c>none</c> for the empty set.</summary>
    public static string Describe(Permission permissions)
    {
        if (permissions == Permission.None)
        {
            return "none";
        }

        return string.Join(
            ", ", Table.Where(row => permissions.HasFlag(row.Permission)).Select(static row => row.Name));
    }
}
