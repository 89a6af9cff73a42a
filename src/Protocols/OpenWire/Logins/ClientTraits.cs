using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Logins;

/// <summary>What is known of a client that has logged in. Immutable.</summary>
internal sealed record ClientTraits
{
    /// <summary>Its address space.</summary>
    public required string Space { get; init; }

    /// <summary>The name of its durable subscriptions.</summary>
    public required string ClientId { get; init; }

    /// <summary>Its connection.</summary>
    public required ConnectionId Connection { get; init; }

    /// <summary>What it hears of others; facts of its own are known by it.</summary>
    public required AdvisoryInbox Inbox { get; init; }

    /// <summary>The version that it writes.</summary>
    public required int Version { get; init; }

    /// <summary>The longest frame that it takes, in bytes.</summary>
    public required long FrameBytesMax { get; init; }

    /// <summary>It comes again when it loses the connection.</summary>
    public bool IsFaultTolerant { get; init; }

    /// <summary>It has come again.</summary>
    public bool IsReconnect { get; init; }
}
