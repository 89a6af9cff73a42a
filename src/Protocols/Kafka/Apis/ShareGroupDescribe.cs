using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ShareGroupDescribe: share groups with their members.</summary>
internal static class ShareGroupDescribeApi
{
    public static async ValueTask<ShareGroupDescribeResponse?> HandleAsync(
        ApiCall call, ShareGroupDescribeRequest request)
    {
        string[] wanted = request.GroupIds.Once();
        var groups = new ShareGroupDescribeResponse.DescribedGroup[wanted.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = await DescribeAsync(call.Session, request, wanted[i]);
        }

        return new ShareGroupDescribeResponse { Groups = groups };
    }

    private static async ValueTask<ShareGroupDescribeResponse.DescribedGroup> DescribeAsync(
        KafkaSession session, ShareGroupDescribeRequest request, string group)
    {
        if (!session.MaySeeGroup(group))
        {
            return new() { GroupId = group, ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        ConsumerGroupView view = await session.AskAsync<ConsumerGroupView>(
            (all, done) => all.Groups.ShareDescribe(group, done));
        return new()
        {
            ErrorCode = view.Error.Code(),
            ErrorMessage = view.Error == CoordinatorError.None ? null : $"Group {group} is not a share group.",
            GroupId = group,
            GroupState = view.State,
            GroupEpoch = view.Epoch,
            AssignmentEpoch = view.AssignmentEpoch,
            AssignorName = view.Assignor,
            Members = [.. view.Members.Select(m => Member(session, m))],
            AuthorizedOperations = request.IncludeAuthorizedOperations
                ? AuthorizedOperations.OfGroup(session, group)
                : int.MinValue,
        };
    }

    private static ShareGroupDescribeResponse.Member Member(KafkaSession session, ConsumerMemberView member) => new()
    {
        MemberId = member.MemberId,
        RackId = member.RackId,
        MemberEpoch = member.MemberEpoch,
        ClientId = member.Client.ClientId,
        ClientHost = member.Client.Host,
        SubscribedTopicNames = [.. member.SubscribedTopics],
        Assignment = new()
        {
            TopicPartitions =
            [
                .. member.Assignment.GroupBy(p => p.TopicId).Select(g => new ShareGroupDescribeResponse.TopicPartitions
                {
                    TopicId = g.Key,
                    TopicName = session.Streams.Find(g.Key)?.Name ?? "",
                    Partitions = [.. g.Select(p => p.Partition).Order()],
                }),
            ],
        },
    };
}
