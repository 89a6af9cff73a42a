using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeGroups: classic groups with their members.</summary>
internal static class DescribeGroupsApi
{
    public static async ValueTask<DescribeGroupsResponse?> HandleAsync(ApiCall call, DescribeGroupsRequest request)
    {
        string[] wanted = request.Groups.Once();
        var groups = new DescribeGroupsResponse.DescribedGroup[wanted.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = await DescribeAsync(call, request, wanted[i]);
        }

        return new DescribeGroupsResponse { Groups = groups };
    }

    private static async ValueTask<DescribeGroupsResponse.DescribedGroup> DescribeAsync(
        ApiCall call, DescribeGroupsRequest request, string group)
    {
        KafkaSession session = call.Session;
        if (!session.MaySeeGroup(group))
        {
            return new() { GroupId = group, ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        ClassicGroupView view = await session.AskAsync<ClassicGroupView>(
            (all, done) => all.Groups.Describe(group, done));
        // Before version 6 a group that does not exist is a dead one.
        bool hidden = view.Error == CoordinatorError.GroupIdNotFound && call.Version < 6;
        return new()
        {
            ErrorCode = hidden ? (short)ErrorCode.None : view.Error.Code(),
            ErrorMessage = view.Error == CoordinatorError.GroupIdNotFound ? $"Group {group} not found." : null,
            GroupId = group,
            GroupState = view.State,
            ProtocolType = view.ProtocolType,
            ProtocolData = view.Protocol,
            Members = [.. view.Members.Select(Member)],
            AuthorizedOperations = request.IncludeAuthorizedOperations
                ? AuthorizedOperations.OfGroup(session, group)
                : int.MinValue,
        };
    }

    private static DescribeGroupsResponse.DescribedGroupMember Member(ClassicMemberView member) => new()
    {
        MemberId = member.MemberId,
        GroupInstanceId = member.InstanceId,
        ClientId = member.Client.ClientId,
        ClientHost = member.Client.Host,
        MemberMetadata = member.Metadata,
        MemberAssignment = member.Assignment,
    };
}
