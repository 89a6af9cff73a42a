using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Fetch = Pillarbox.Broker.Streams.Groups.OffsetFetchRequest;
using OffsetFetchRequest = Pillarbox.Protocols.Kafka.Wire.Messages.OffsetFetchRequest;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>OffsetFetch: how far groups have read; one group before version 8, several from there on.</summary>
internal static class OffsetFetchApi
{
    public static async ValueTask<OffsetFetchResponse?> HandleAsync(ApiCall call, OffsetFetchRequest request)
    {
        if (call.Version < 8)
        {
            return await SingleAsync(call, request);
        }

        OffsetFetchRequest.OffsetFetchRequestGroup[] wanted = request.Groups.OnceBy(group => group.GroupId);
        var groups = new OffsetFetchResponse.OffsetFetchResponseGroup[wanted.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = await GroupAsync(call, request, wanted[i]);
        }

        return new OffsetFetchResponse { Groups = groups };
    }

    private static async ValueTask<OffsetFetchResponse> SingleAsync(ApiCall call, OffsetFetchRequest request)
    {
        List<TopicPartition>? wanted = request.Topics is null ? null :
            [.. request.Topics.SelectMany(t => t.PartitionIndexes.Select(p => new TopicPartition(t.Name, p)))];
        var member = new GroupMemberRef(request.GroupId, -1, "", null);
        OffsetFetchResult result = await AskAsync(call.Session, member, wanted, request.RequireStable);
        // Before version 2 there is no place for an error but with each partition.
        bool spread = call.Version < 2 && result.Error != CoordinatorError.None;
        IEnumerable<FetchedOffset> offsets = spread
            ? (wanted ?? []).Select(p => new FetchedOffset(p, CommittedOffset.None, result.Error))
            : result.Offsets;
        return new OffsetFetchResponse
        {
            ErrorCode = result.Error.Code(),
            Topics =
            [
                .. offsets.GroupBy(o => o.Partition.Topic, StringComparer.Ordinal)
                    .Select(g => new OffsetFetchResponse.OffsetFetchResponseTopic
                    {
                        Name = g.Key,
                        Partitions = [.. g.Select(Single)],
                    }),
            ],
        };
    }

    private static OffsetFetchResponse.OffsetFetchResponsePartition Single(FetchedOffset fetched) => new()
    {
        PartitionIndex = fetched.Partition.Partition,
        CommittedOffset = fetched.Committed.Offset,
        CommittedLeaderEpoch = fetched.Committed.LeaderEpoch,
        Metadata = fetched.Committed.Metadata,
        ErrorCode = fetched.Error.Code(),
    };

    private static async ValueTask<OffsetFetchResponse.OffsetFetchResponseGroup> GroupAsync(
        ApiCall call, OffsetFetchRequest request, OffsetFetchRequest.OffsetFetchRequestGroup wanted)
    {
        KafkaSession session = call.Session;
        var unknown = new List<OffsetFetchResponse.OffsetFetchResponseTopics>();
        List<TopicPartition>? partitions = wanted.Topics is null ? null : [];
        foreach (OffsetFetchRequest.OffsetFetchRequestTopics topic in wanted.Topics ?? [])
        {
            if (session.NameOf(topic.Name, topic.TopicId) is { } name)
            {
                partitions!.AddRange(topic.PartitionIndexes.Select(p => new TopicPartition(name, p)));
            }
            else
            {
                unknown.Add(UnknownTopic(topic));
            }
        }

        var member = new GroupMemberRef(wanted.GroupId, wanted.MemberEpoch, wanted.MemberId ?? "", null);
        OffsetFetchResult result = await AskAsync(session, member, partitions, request.RequireStable);
        return new()
        {
            GroupId = wanted.GroupId,
            ErrorCode = result.Error.Code(),
            Topics =
            [
                .. result.Offsets.GroupBy(o => o.Partition.Topic, StringComparer.Ordinal)
                    .Select(g => Topic(session, call.Version, g)),
                .. unknown,
            ],
        };
    }

    private static OffsetFetchResponse.OffsetFetchResponseTopics Topic(
        KafkaSession session, short version, IGrouping<string, FetchedOffset> fetched) => new()
        {
            Name = fetched.Key,
            TopicId = version >= 10 ? session.Streams.Find(fetched.Key)?.Id ?? Guid.Empty : Guid.Empty,
            Partitions =
            [
                .. fetched.Select(f => new OffsetFetchResponse.OffsetFetchResponsePartitions
                {
                    PartitionIndex = f.Partition.Partition,
                    CommittedOffset = f.Committed.Offset,
                    CommittedLeaderEpoch = f.Committed.LeaderEpoch,
                    Metadata = f.Committed.Metadata,
                    ErrorCode = f.Error.Code(),
                }),
            ],
        };

    private static OffsetFetchResponse.OffsetFetchResponseTopics UnknownTopic(
        OffsetFetchRequest.OffsetFetchRequestTopics topic) => new()
        {
            Name = topic.Name,
            TopicId = topic.TopicId,
            Partitions = Array.ConvertAll(topic.PartitionIndexes, p =>
                new OffsetFetchResponse.OffsetFetchResponsePartitions
                {
                    PartitionIndex = p,
                    CommittedOffset = -1,
                    ErrorCode = (short)ErrorCode.UnknownTopicId,
                }),
        };

    private static Task<OffsetFetchResult> AskAsync(
        KafkaSession session, GroupMemberRef member, List<TopicPartition>? partitions, bool requireStable)
    {
        if (!session.MaySeeGroup(member.GroupId))
        {
            return Task.FromResult(OffsetFetchResult.Of(Coordination.NoPermissionOnGroup));
        }

        var fetch = new Fetch { Member = member, Partitions = partitions, RequireStable = requireStable };
        return session.AskAsync<OffsetFetchResult>((all, done) => all.Groups.FetchOffsets(fetch, done));
    }
}
