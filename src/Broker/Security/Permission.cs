namespace Pillarbox.Broker.Security;

/// <summary>What a role may do to the addresses that a pattern matches.</summary>
[Flags]
public enum Permission
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Make an address.</summary>
    CreateAddress = 1,

    /// <summary>Delete an address.</summary>
    DeleteAddress = 2,

    /// <summary>Make a durable queue.</summary>
    CreateDurableQueue = 4,

    /// <summary>Delete a durable queue.</summary>
    DeleteDurableQueue = 8,

    /// <summary>Make a non-durable or temporary queue.</summary>
    CreateNonDurableQueue = 16,

    /// <summary>Delete a non-durable or temporary queue.</summary>
    DeleteNonDurableQueue = 32,

    /// <summary>Publish.</summary>
    Send = 64,

    /// <summary>Consume.</summary>
    Consume = 128,

    /// <summary>Look at messages without consuming.</summary>
    Browse = 256,

    /// <summary>Operations that change (purge, pause, move).</summary>
    Manage = 512,

    /// <summary>See figures and settings.</summary>
    View = 1024,

    /// <summary>Change configuration at run time.</summary>
    Edit = 2048,
}
