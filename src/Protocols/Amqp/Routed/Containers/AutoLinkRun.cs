namespace Pillarbox.Protocols.Amqp.Routed.Containers;

/// <summary>A link that the node keeps to a container by itself. Immutable.</summary>
public sealed record AutoLinkPlan
{
    /// <summary>Unique among the node's.</summary>
    public required string Name { get; init; }

    /// <summary>The address in the network.</summary>
    public required string Address { get; init; }

    /// <summary>Whether the node draws from the container, and does not send to it.</summary>
    public required bool IsIncoming { get; init; }

    /// <summary>The phase of the address: that messages from the container get, or that are sent to it.</summary>
    public int Phase { get; init; }

    /// <summary>The address as the container knows it; null: the same.</summary>
    public string? ExternalAddress { get; init; }

    /// <summary>Whether the container takes what nobody else takes.</summary>
    public bool IsFallback { get; init; }
}

/// <summary>One plan on one connection.</summary>
/// <param name="Plan">The link.</param>
/// <param name="Carrier">The connection.</param>
/// <param name="Watch">Who hears what becomes of it.</param>
public sealed record AutoLinkRun(AutoLinkPlan Plan, LinkCarrier Carrier, IAutoLinkWatch Watch)
{
    /// <inheritdoc/>
    public bool Equals(AutoLinkRun? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}

/// <summary>Who hears what becomes of a link that the node keeps by itself. Any thread.</summary>
public interface IAutoLinkWatch
{
    /// <summary>The container has taken it; <paramref name="link"/> is its number among the node's links.</summary>
    void OnAttached(AutoLinkRun run, long link);

    /// <summary>It was refused, or has ended; the error is the container's, or null when it named none.</summary>
    void OnEnded(AutoLinkRun run, string? error);
}
