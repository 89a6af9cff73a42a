namespace Pillarbox.Broker.Streams.Groups;

/// <summary>One way of assigning that a classic member can do, with its opaque metadata.</summary>
/// <param name="Name">The name, e.g. <c>range</c>.</param>
/// <param name="Metadata">Opaque; not to be changed after it was handed over.</param>
public readonly record struct MemberProtocol(string Name, byte[] Metadata);

/// <summary>Who asks, as far as groups keep it.</summary>
/// <param name="ClientId">The client's own name, may be empty.</param>
/// <param name="Host">Where it comes from.</param>
public readonly record struct GroupClient(string ClientId, string Host);

/// <summary>A member wants to be in the next generation.</summary>
public sealed record JoinRequest
{
    public required string GroupId { get; init; }

    public required string MemberId { get; init; }

    /// <summary>The name of a static member, or null.</summary>
    public string? InstanceId { get; init; }

    public GroupClient Client { get; init; }

    public int SessionTimeoutMs { get; init; }

    /// <summary>How long the member may take to join again in a rebalance; requests without it give the session
    /// time-out.</summary>
    public int RebalanceTimeoutMs { get; init; }

    public required string ProtocolType { get; init; }

    /// <summary>What it can do, best first.</summary>
    public required IReadOnlyList<MemberProtocol> Protocols { get; init; }

    /// <summary>Whether a new member gets an id first and must come again with it (request version 4 and
    /// later).</summary>
    public bool RequiresKnownMemberId { get; init; }

    /// <summary>Whether a static leader may be told to keep the assignment (request version 9 and later).</summary>
    public bool MaySkipAssignment { get; init; }
}

/// <summary>One member, as the leader gets it.</summary>
public readonly record struct JoinedMember(string MemberId, string? InstanceId, byte[] Metadata);

/// <summary>The answer to a join.</summary>
public sealed record JoinResult : ICoordinatorResult<JoinResult>
{
    public CoordinatorError Error { get; init; }

    public int Generation { get; init; } = -1;

    public string? ProtocolType { get; init; }

    public string? ProtocolName { get; init; }

    public string LeaderId { get; init; } = "";

    public bool SkipAssignment { get; init; }

    public string MemberId { get; init; } = "";

    /// <summary>For the leader: everybody. For others: nobody.</summary>
    public IReadOnlyList<JoinedMember> Members { get; init; } = [];

    /// <inheritdoc/>
    public static JoinResult Of(CoordinatorError error) => new() { Error = error };
}

/// <summary>Who of which generation asks.</summary>
/// <param name="GroupId">The group.</param>
/// <param name="Generation">Generation or member epoch; -1 = not a member.</param>
/// <param name="MemberId">Empty = not a member.</param>
/// <param name="InstanceId">The name of a static member, or null.</param>
public readonly record struct GroupMemberRef(string GroupId, int Generation, string MemberId, string? InstanceId);

/// <summary>A member waits for its assignment; the leader brings everybody's.</summary>
public sealed record SyncRequest
{
    public required GroupMemberRef Member { get; init; }

    /// <summary>Null when the request does not say (version before 5).</summary>
    public string? ProtocolType { get; init; }

    /// <summary>Null when the request does not say (version before 5).</summary>
    public string? ProtocolName { get; init; }

    /// <summary>Member id and opaque assignment, from the leader.</summary>
    public IReadOnlyList<(string MemberId, byte[] Assignment)> Assignments { get; init; } = [];
}

/// <summary>A member's assignment.</summary>
public sealed record SyncResult : ICoordinatorResult<SyncResult>
{
    public CoordinatorError Error { get; init; }

    public string? ProtocolType { get; init; }

    public string? ProtocolName { get; init; }

    public byte[] Assignment { get; init; } = [];

    /// <inheritdoc/>
    public static SyncResult Of(CoordinatorError error) => new() { Error = error };
}

/// <summary>Who leaves: by id, or a static member by its name alone.</summary>
public readonly record struct LeavingMember(string MemberId, string? InstanceId);

/// <summary>The answer to a leave: one error for all, and one for each in the order of the request.</summary>
public sealed record LeaveResult : ICoordinatorResult<LeaveResult>
{
    public CoordinatorError Error { get; init; }

    public IReadOnlyList<CoordinatorError> Members { get; init; } = [];

    /// <inheritdoc/>
    public static LeaveResult Of(CoordinatorError error) => new() { Error = error };
}
