using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ConsumerGroupDescribe: groups of the protocol of KIP-848, with what each member has and is to
/// have.</summary>
internal static class ConsumerGroupDescribeApi
{
    private const sbyte ClassicMember = 0;
    private const sbyte ConsumerMember = 1;

    public static async ValueTask<ConsumerGroupDescribeResponse?> HandleAsync(
        ApiCall call, ConsumerGroupDescribeRequest request)
    {
        string[] wanted = request.GroupIds.Once();
        var groups = new ConsumerGroupDescribeResponse.DescribedGroup[wanted.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = await DescribeAsync(call.Session, request, wanted[i]);
        }

        return new ConsumerGroupDescribeResponse { Groups = groups };
    }

    private static async ValueTask<ConsumerGroupDescribeResponse.DescribedGroup> DescribeAsync(
        KafkaSession session, ConsumerGroupDescribeRequest request, string group)
    {
        if (!session.MaySeeGroup(group))
        {
            return new() { GroupId = group, ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        ConsumerGroupView view = await session.AskAsync<ConsumerGroupView>(
            (all, done) => all.Groups.ConsumerDescribe(group, done));
        return new()
        {
            ErrorCode = view.Error.Code(),
            ErrorMessage = view.Error == CoordinatorError.None ? null : $"Group {group} is not a consumer group.",
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

    private static ConsumerGroupDescribeResponse.Member Member(KafkaSession session, ConsumerMemberView member) =>
        new()
        {
            MemberId = member.MemberId,
            InstanceId = member.InstanceId,
            RackId = member.RackId,
            MemberEpoch = member.MemberEpoch,
            ClientId = member.Client.ClientId,
            ClientHost = member.Client.Host,
            SubscribedTopicNames = [.. member.SubscribedTopics],
            SubscribedTopicRegex = member.SubscribedRegex,
            Assignment = Assignment(session, member.Assignment),
            TargetAssignment = Assignment(session, member.Target),
            MemberType = member.IsClassic ? ClassicMember : ConsumerMember,
        };

    private static ConsumerGroupDescribeResponse.Assignment Assignment(
        KafkaSession session, IReadOnlyCollection<TopicIdPartition> partitions) => new()
        {
            TopicPartitions =
            [
                .. partitions.GroupBy(p => p.TopicId).Select(g => new ConsumerGroupDescribeResponse.TopicPartitions
                {
                    TopicId = g.Key,
                    TopicName = session.Streams.Find(g.Key)?.Name ?? "",
                    Partitions = [.. g.Select(p => p.Partition).Order()],
                }),
            ],
        };
}
