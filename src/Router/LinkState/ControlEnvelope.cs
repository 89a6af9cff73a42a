using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>A control message as it came: with where it goes, where it was, and the bytes to pass it on.</summary>
public sealed record ControlEnvelope
{
    public required ControlAddress To { get; init; }

    /// <summary>The address as it came in <c>x-opt-qd.to</c>, or null.</summary>
    public string? ToOverride { get; init; }

    /// <summary>The router where it entered the network, e.g. <c>0/A</c>; null: it does not say.</summary>
    public string? Ingress { get; init; }

    /// <summary>The routers that it has left, e.g. <c>0/A</c>, oldest first.</summary>
    public ImmutableArray<string> Trace { get; init; } = [];

    /// <summary>What it says; null: its version is newer than ours, or it is for another router.</summary>
    public ControlMessage? Message { get; init; }

    /// <summary>The id in the body, whatever its version.</summary>
    public required string Id { get; init; }

    /// <summary>The version in the body.</summary>
    public long Version { get; init; }

    /// <summary>The header section as it came, or empty.</summary>
    public ReadOnlyMemory<byte> Header { get; init; }

    /// <summary>Properties, application properties and body as they came.</summary>
    public ReadOnlyMemory<byte> Bare { get; init; }
}
