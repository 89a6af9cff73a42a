using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// The share session of a connection: a member of a share group and the partitions that it reads. There is one at most.
/// Requests change it in their order, while those before them may still be at work.
/// </summary>
internal sealed class ShareSession(string groupId, string memberId)
{
    /// <summary>The epoch of a request that opens a session.</summary>
    public const int FirstEpoch = 0;

    /// <summary>The epoch of the last request of a session.</summary>
    public const int FinalEpoch = -1;

    /// <summary>The most partitions of a session.</summary>
    public const int PartitionsMax = 20_000;

    /// <summary>The most characters of a group's name.</summary>
    public const int GroupCharsMax = 8192;

    /// <summary>The most characters of a member's id: it stands with each record that the member has.</summary>
    public const int MemberCharsMax = 256;

    private int _nextEpoch = 1;

    public string GroupId { get; } = groupId;

    public string MemberId { get; } = memberId;

    /// <summary>What the member reads; replaced whole.</summary>
    public IReadOnlySet<TopicIdPartition> Partitions { get; private set; } = new HashSet<TopicIdPartition>();

    /// <summary>The session that a request belongs to; the error says why it belongs to none.</summary>
    public static ErrorCode Enter(
        ref ShareSession? current, string? groupId, string? memberId, int epoch)
    {
        if (groupId is null || string.IsNullOrEmpty(memberId) || groupId.Length > GroupCharsMax
            || memberId.Length > MemberCharsMax)
        {
            return ErrorCode.InvalidRequest;
        }

        if (epoch == FirstEpoch)
        {
            current = new ShareSession(groupId, memberId);
            return ErrorCode.None;
        }

        if (current is null || current.GroupId != groupId || current.MemberId != memberId)
        {
            return ErrorCode.ShareSessionNotFound;
        }

        if (epoch != FinalEpoch && epoch != current._nextEpoch)
        {
            return ErrorCode.InvalidShareSessionEpoch;
        }

        current._nextEpoch = current._nextEpoch == int.MaxValue ? 1 : current._nextEpoch + 1;
        return ErrorCode.None;
    }

    /// <summary>Takes what a request says to be read from now on, up to <see cref="PartitionsMax"/>, and what not any
    /// more.</summary>
    public void Update(ShareFetchRequest request)
    {
        HashSet<TopicIdPartition>? changed = null;
        foreach (ShareFetchRequest.FetchTopic topic in request.Topics)
        {
            foreach (ShareFetchRequest.FetchPartition partition in topic.Partitions)
            {
                var key = new TopicIdPartition(topic.TopicId, partition.PartitionIndex);
                IReadOnlySet<TopicIdPartition> known = changed ?? Partitions;
                if (!known.Contains(key) && known.Count < PartitionsMax)
                {
                    changed ??= [.. Partitions];
                    changed.Add(key);
                }
            }
        }

        foreach (ShareFetchRequest.ForgottenTopic topic in request.ForgottenTopicsData)
        {
            changed ??= [.. Partitions];
            changed.ExceptWith(topic.Partitions.Select(p => new TopicIdPartition(topic.TopicId, p)));
        }

        Partitions = changed ?? Partitions;
    }

    /// <summary>What the member says that it did with records; the error of the partition.</summary>
    public async ValueTask<ErrorCode> AcknowledgeAsync(
        KafkaSession session, TopicIdPartition partition, List<ShareAcknowledgeRange> ranges)
    {
        if (ranges.Count == 0)
        {
            return ErrorCode.None;
        }

        // Records of a topic that is no more are nobody's; those of one that is there are not for everybody.
        ErrorCode error = session.Find("", partition.TopicId, Permission.Consume, out _);
        if (error == ErrorCode.TopicAuthorizationFailed)
        {
            return error;
        }

        var key = new SharePartitionKey(GroupId, partition);
        PlainResult result = await session.AskAsync<PlainResult>(
            (all, done) => all.Shares.Acknowledge(key, MemberId, ranges, done));
        return (ErrorCode)result.Error.Code();
    }

    /// <summary>The member has begun this session.</summary>
    public void Begin(KafkaSession session) => session.Coordinators.Shares.Enter(GroupId, MemberId, this);

    /// <summary>The connection is gone, or has another session: what the member has is free for others, unless it has
    /// begun another session elsewhere.</summary>
    public void Abandon(KafkaSession session) => session.Coordinators.Shares.Leave(GroupId, MemberId, this);

    /// <summary>The member has ended its session: what it has is free for others.</summary>
    public void Release(KafkaSession session) =>
        session.Coordinators.Shares.Release(GroupId, MemberId);

    /// <summary>A run of records with one answer for all, or one for each.</summary>
    public static ShareAcknowledgeRange Range(long first, long last, sbyte[] types) =>
        new(first, last, Array.ConvertAll(types, t => (ShareAcknowledgement)t));
}
