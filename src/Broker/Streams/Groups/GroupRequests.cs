namespace Pillarbox.Broker.Streams.Groups;

/// <summary>What can be said of a request without knowing its group. Thread-safe.</summary>
internal sealed class GroupRequests(GroupOptions options)
{
    /// <summary>Names are kept on disk with a length of two bytes; nobody needs longer ones than this.</summary>
    public const int NameCharsMax = 8192;

    private const int ProtocolsMax = 256;

    public CoordinatorError Check(JoinRequest request)
    {
        if (request.GroupId.Length is 0 or > NameCharsMax)
        {
            return CoordinatorError.InvalidGroupId;
        }

        if (request.SessionTimeoutMs < options.SessionTimeoutMsMin
            || request.SessionTimeoutMs > options.SessionTimeoutMsMax)
        {
            return CoordinatorError.InvalidSessionTimeout;
        }

        bool fits = Fits(request.MemberId, request.InstanceId, request.Client.ClientId, request.ProtocolType)
            && request.RebalanceTimeoutMs >= 0 && request.Protocols.Count <= ProtocolsMax
            && request.Protocols.All(p => Fits(p.Name) && p.Metadata.Length <= options.MemberBytesMax);
        return fits ? CoordinatorError.None : CoordinatorError.InvalidRequest;
    }

    public CoordinatorError Check(SyncRequest request) =>
        request.Assignments.All(a => a.Assignment.Length <= options.MemberBytesMax)
            ? CoordinatorError.None
            : CoordinatorError.InvalidRequest;

    /// <summary>A sentence for the user when a member reads more topics than it may, or null.</summary>
    public string? CheckTopics(ConsumerHeartbeatRequest request) =>
        request.SubscribedTopics is not { } topics ? null
        : topics.Count > options.MemberTopicsMax
            ? $"the member reads {topics.Count} topics, at most {options.MemberTopicsMax} may be"
        : MemberWeight.Of(topics) > options.MemberBytesMax
            ? $"the names of the member's topics take more than {options.MemberBytesMax} bytes"
        : null;

    public static bool Fits(params ReadOnlySpan<string?> names)
    {
        foreach (string? name in names)
        {
            if (name?.Length > NameCharsMax)
            {
                return false;
            }
        }

        return true;
    }
}
