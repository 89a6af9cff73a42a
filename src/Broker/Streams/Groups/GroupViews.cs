namespace Pillarbox.Broker.Streams.Groups;

/// <summary>What speaks with a group.</summary>
public enum GroupType : byte
{
    Classic = 0,
    Consumer = 1,
    Share = 2,
}

/// <summary>A group in a list. Immutable.</summary>
/// <param name="GroupId">The group.</param>
/// <param name="Type">Its protocol.</param>
/// <param name="ProtocolType">What its members are, e.g. <c>consumer</c>; empty for offsets alone.</param>
/// <param name="State">Its state in the field's words, e.g. <c>Stable</c>.</param>
public sealed record GroupListing(string GroupId, GroupType Type, string ProtocolType, string State);

/// <summary>A member of a classic group. Immutable.</summary>
public sealed record ClassicMemberView(
    string MemberId, string? InstanceId, GroupClient Client, byte[] Metadata, byte[] Assignment);

/// <summary>A group as its members' protocol shows it. Immutable.</summary>
public sealed record ClassicGroupView : ICoordinatorResult<ClassicGroupView>
{
    /// <summary><see cref="CoordinatorError.GroupIdNotFound"/> with state <c>Dead</c> when there is none.</summary>
    public CoordinatorError Error { get; init; }

    public string GroupId { get; init; } = "";

    public string State { get; init; } = "Dead";

    public string ProtocolType { get; init; } = "";

    public string Protocol { get; init; } = "";

    public int Generation { get; init; } = -1;

    public IReadOnlyList<ClassicMemberView> Members { get; init; } = [];

    /// <inheritdoc/>
    public static ClassicGroupView Of(CoordinatorError error) => new() { Error = error };
}
