using Pillarbox.Model;

namespace Pillarbox.Broker.Security;

/// <summary>
/// Proof that the one authorizer allowed an operation on a resolved resource. Only <see cref="Authorizer"/> makes one;
/// routing and storage calls take it, so there is no second way in.
/// </summary>
public readonly struct Grant
{
    internal Grant(Identity identity, Permission permission, string addressSpace, string address, string? queue)
    {
        Identity = identity;
        Permission = permission;
        AddressSpace = addressSpace;
        Address = address;
        Queue = queue;
    }

    /// <summary>Who.</summary>
    public Identity Identity { get; }

    /// <summary>May do what.</summary>
    public Permission Permission { get; }

    /// <summary>In which address space.</summary>
    public string AddressSpace { get; }

    /// <summary>To which address.</summary>
    public string Address { get; }

    /// <summary>Or just to this queue of it.</summary>
    public string? Queue { get; }
}
