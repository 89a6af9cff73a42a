namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>What can be said of a heartbeat without knowing its group. Pure.</summary>
internal static class HeartbeatRules
{
    public const int Join = 0;
    public const int Leave = -1;

    /// <summary>A sentence for the user, or null when nothing is wrong.</summary>
    public static string? Check(ConsumerHeartbeatRequest request)
    {
        bool joins = request.MemberEpoch == Join;
        bool hasSubscription = request.SubscribedTopics?.Count > 0 || !string.IsNullOrEmpty(request.SubscribedRegex);
        return request.GroupId.Length == 0 ? "the group id is empty"
            : !GroupRequests.Fits(
                request.GroupId, request.MemberId, request.InstanceId, request.RackId, request.Client.ClientId)
                ? "a name is too long"
            : request.MemberEpoch < ConsumerMember.AwayEpoch ? "there is no such member epoch"
            : request.MemberId.Length == 0 && !joins ? "the member id is empty"
            : request.InstanceId is "" ? "the instance id is empty"
            : request.RackId is "" ? "the rack id is empty"
            : request.MemberEpoch == ConsumerMember.AwayEpoch && request.InstanceId is null
                ? "only a static member leaves for a while"
            : !joins ? null
            : request.RebalanceTimeoutMs < 0 ? "a rebalance time-out is needed to join"
            : request.Owned is null or { Count: > 0 } ? "who joins has no partitions"
            : !hasSubscription ? "topics or a regular expression are needed to join"
            : null;
    }

    /// <summary>Whether everything is in the request, so that everything belongs into the answer.</summary>
    public static bool IsFull(ConsumerHeartbeatRequest request) =>
        request is { SubscribedTopics: not null, Owned: not null, RebalanceTimeoutMs: >= 0 };

    /// <summary>Whether the epoch is the member's; the one before is too if the answer that bumped it was
    /// lost.</summary>
    public static CoordinatorError CheckEpoch(ConsumerMember member, ConsumerHeartbeatRequest request)
    {
        if (request.MemberEpoch == member.Epoch || request.MemberEpoch == Join)
        {
            return CoordinatorError.None;
        }

        bool lostAnswer = request.MemberEpoch == member.PreviousEpoch && request.MemberEpoch < member.Epoch
            && request.Owned is not null && request.Owned.All(member.Assigned.Contains);
        return lostAnswer ? CoordinatorError.None : CoordinatorError.FencedMemberEpoch;
    }
}
