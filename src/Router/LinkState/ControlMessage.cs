using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>A message between routers. Protocol version 1.</summary>
/// <param name="Id">The router that made it.</param>
public abstract record ControlMessage(string Id)
{
    /// <summary>The version of the protocol that is spoken; newer ones are passed on and not understood.</summary>
    public const int Version = 1;

    /// <summary>Its name in the application property <c>opcode</c>.</summary>
    public abstract string Opcode { get; }
}

/// <summary>To neighbours only: I am here, and heard these.</summary>
/// <param name="Id">The sender.</param>
/// <param name="Instance">When it started; 0: it does not say.</param>
/// <param name="Seen">Neighbours that it heard of late.</param>
public sealed record Hello(string Id, long Instance, ImmutableArray<string> Seen) : ControlMessage(Id)
{
    /// <inheritdoc/>
    public override string Opcode => "HELLO";
}

/// <summary>RA, to all: how far my link state and my addresses have got.</summary>
/// <param name="Id">The sender.</param>
/// <param name="Instance">When it started; 0: it does not say.</param>
/// <param name="LsSeq">Number of its link state.</param>
/// <param name="MobileSeq">Number of its addresses.</param>
public sealed record RouterAdvertisement(string Id, long Instance, long LsSeq, long MobileSeq) : ControlMessage(Id)
{
    /// <inheritdoc/>
    public override string Opcode => "RA";
}

/// <summary>LSR, to one router: tell me your link state.</summary>
/// <param name="Id">The sender.</param>
public sealed record LinkStateRequest(string Id) : ControlMessage(Id)
{
    /// <inheritdoc/>
    public override string Opcode => "LSR";
}

/// <summary>A neighbour and what it costs to reach it.</summary>
public readonly record struct PeerCost(string Id, int Cost);

/// <summary>LSU, to one router: my neighbours.</summary>
/// <param name="Id">The sender.</param>
/// <param name="Instance">When it started; 0: it does not say.</param>
/// <param name="LsSeq">Number of this link state.</param>
/// <param name="Peers">Each neighbour once.</param>
public sealed record LinkStateUpdate(string Id, long Instance, long LsSeq, ImmutableArray<PeerCost> Peers)
    : ControlMessage(Id)
{
    /// <inheritdoc/>
    public override string Opcode => "LSU";
}

/// <summary>An address key and how it is to be distributed, if its router says so.</summary>
public readonly record struct AddressHint(string Key, AddressTreatment? Treatment);

/// <summary>MAU: what changed in my addresses (to all), or which ones I have (to one router).</summary>
/// <param name="Id">The sender.</param>
/// <param name="MobileSeq">Number of its addresses after this.</param>
/// <param name="IsAbsolute">True: <see cref="Added"/> is all there is.</param>
/// <param name="Added">New addresses, or all.</param>
/// <param name="Deleted">Addresses that are gone.</param>
public sealed record MobileAddressUpdate(
    string Id,
    long MobileSeq,
    bool IsAbsolute,
    ImmutableArray<AddressHint> Added,
    ImmutableArray<string> Deleted) : ControlMessage(Id)
{
    /// <summary>When its router started; 0: it does not say, as the protocol's peers do not.</summary>
    public long Instance { get; init; }

    /// <inheritdoc/>
    public override string Opcode => "MAU";
}

/// <summary>MAR, to one router: I have your addresses up to this number; tell me all.</summary>
/// <param name="Id">The sender.</param>
/// <param name="HaveSeq">What it has.</param>
public sealed record MobileAddressRequest(string Id, long HaveSeq) : ControlMessage(Id)
{
    /// <inheritdoc/>
    public override string Opcode => "MAR";
}
