using System.Text;
using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups.Offsets;

/// <summary>Commits, also those of transactions, and what is asked of them. One owner: the loop.</summary>
internal sealed class OffsetCommits(GroupServices services, GroupTable groups)
{
    private readonly Dictionary<(int Partition, long ProducerId), HashSet<Group>> _transactions = [];

    public void Commit(OffsetCommitRequest request, Action<OffsetCommitResult> done)
    {
        GroupMemberRef who = request.Member;
        if (!GroupRequests.Fits(who.GroupId))
        {
            done(OffsetCommitResult.Of(CoordinatorError.InvalidGroupId));
            return;
        }

        Group? group = groups.Find(who.GroupId);
        if (group is null && who.Generation >= 0)
        {
            done(OffsetCommitResult.Of(request.KnowsGroupIdNotFound
                ? CoordinatorError.GroupIdNotFound
                : CoordinatorError.IllegalGeneration));
            return;
        }

        group ??= groups.GetOrAdd(who.GroupId);
        if (group is null)
        {
            done(NoRoomForGroup(request));
            return;
        }

        CoordinatorError error = Validate(group, request);
        if (error != CoordinatorError.None)
        {
            services.Reply(group, done, OffsetCommitResult.Of(error));
            groups.RemoveIfUnused(group);
            return;
        }

        services.Reply(group, done, Store(group, request));
        groups.RemoveIfUnused(group);
    }

    public void Fetch(OffsetFetchRequest request, Action<OffsetFetchResult> done)
    {
        Group? group = groups.Find(request.Member.GroupId);
        if (group is null)
        {
            done(new OffsetFetchResult
            {
                Offsets = [.. (request.Partitions ?? []).Select(p =>
                    new FetchedOffset(p, CommittedOffset.None, CoordinatorError.None))],
            });
            return;
        }

        bool isMember = request.Member is { Generation: >= 0, MemberId.Length: > 0 };
        CoordinatorError error = isMember && group.Consumer is not null
            ? GroupTable.Validate(group.Consumer, request.Member)
            : CoordinatorError.None;
        if (error != CoordinatorError.None)
        {
            services.Reply(group, done, OffsetFetchResult.Of(error));
            return;
        }

        IEnumerable<TopicPartition> asked = request.Partitions ?? group.Offsets.All.Select(o => o.Partition);
        services.Reply(group, done, new OffsetFetchResult
        {
            Offsets = [.. asked.Select(p => Fetch(group, p, request.RequireStable))],
        });
    }

    /// <summary>Forgets offsets of partitions that nobody in the group is subscribed to.</summary>
    public CoordinatorError[] Delete(Group group, IReadOnlyList<TopicPartition> partitions)
    {
        CoordinatorError[] errors = new CoordinatorError[partitions.Count];
        List<TopicPartition> gone = [];
        IReadOnlySet<string>? subscribed = groups.SubscribedTopics(group);
        for (int i = 0; i < errors.Length; i++)
        {
            if (subscribed?.Contains(partitions[i].Topic) != false)
            {
                errors[i] = CoordinatorError.GroupSubscribedToTopic;
            }
            else if (group.Offsets.Knows(partitions[i]))
            {
                gone.Add(partitions[i]);
            }
        }

        if (!groups.RemoveOffsets(group, gone))
        {
            Array.Fill(errors, CoordinatorError.CoordinatorNotAvailable);
        }

        return errors;
    }

    /// <summary>The offsets of a topic that is no more, in every group.</summary>
    public void ForgetTopic(string topic)
    {
        foreach (Group group in groups.All.ToArray())
        {
            groups.RemoveOffsets(group, [.. group.Offsets.PartitionsOf(topic)]);
        }
    }

    public void ForgetMissingTopics()
    {
        string[] missing = [.. groups.All.SelectMany(g => g.Offsets.Topics).Distinct()
            .Where(topic => services.Topics.Find(topic) is null)];
        foreach (string topic in missing)
        {
            ForgetTopic(topic);
        }
    }

    /// <summary>Forgets what is older than its time, and groups that nothing is left of.</summary>
    public void Sweep()
    {
        foreach (Group group in groups.All.ToArray())
        {
            groups.RemoveOffsets(group, groups.Expired(group));
            groups.RemoveIfOver(group);
        }
    }

    /// <summary>A producer's transaction has ended in a partition of the coordinator's stream.</summary>
    public void EndTransaction(int partition, long producerId, bool committed)
    {
        if (_transactions.Remove((partition, producerId), out HashSet<Group>? involved))
        {
            foreach (Group group in involved)
            {
                group.Offsets.EndTransaction(producerId, committed);
            }
        }
    }

    /// <summary>An offset that was written, or is found at start.</summary>
    public void Apply(Group group, ProducerStamp producer, TopicPartition partition, in CommittedOffset offset)
    {
        if (!producer.IsTransactional)
        {
            group.Offsets.Commit(partition, offset);
            return;
        }

        group.Offsets.CommitPending(producer.Id, partition, offset);
        if (!_transactions.TryGetValue((group.Partition, producer.Id), out HashSet<Group>? involved))
        {
            _transactions.Add((group.Partition, producer.Id), involved = []);
        }

        involved.Add(group);
    }

    private static FetchedOffset Fetch(Group group, TopicPartition partition, bool requireStable) =>
        requireStable && group.Offsets.IsPending(partition)
            ? new FetchedOffset(partition, CommittedOffset.None, CoordinatorError.UnstableOffsetCommit)
            : new FetchedOffset(partition, group.Offsets.Find(partition), CoordinatorError.None);

    private CoordinatorError Validate(Group group, OffsetCommitRequest request)
    {
        bool isOutside = request.Producer.IsTransactional && request.Member is { Generation: < 0, MemberId.Length: 0 };
        CoordinatorError error = group.Share is not null ? CoordinatorError.GroupIdNotFound
            : group.Consumer is null ? ValidateClassic(group.Classic, request)
            : isOutside ? CoordinatorError.None
            : GroupTable.Validate(group.Consumer, request.Member);
        if (error == CoordinatorError.None)
        {
            groups.Touch(group, request.Member);
        }

        return error;
    }

    private static CoordinatorError ValidateClassic(ClassicGroup group, OffsetCommitRequest request)
    {
        GroupMemberRef who = request.Member;
        bool transactional = request.Producer.IsTransactional;
        if (who.Generation < 0 && group.Is(ClassicState.Empty))
        {
            return CoordinatorError.None;
        }

        bool named = who.Generation >= 0 || who.MemberId.Length > 0 || who.InstanceId is not null;
        CoordinatorError error = named ? ClassicProtocol.Validate(group, who)
            : transactional ? CoordinatorError.None : CoordinatorError.UnknownMemberId;
        return error == CoordinatorError.None && !transactional && group.Is(ClassicState.CompletingRebalance)
            ? CoordinatorError.RebalanceInProgress
            : error;
    }

    private OffsetCommitResult Store(Group group, OffsetCommitRequest request)
    {
        CoordinatorError[] errors = new CoordinatorError[request.Offsets.Count];
        List<CoordinatorRecord> records = [];
        long nowMs = services.NowMs;
        long expiresMs = request.RetentionMs >= 0 ? nowMs + request.RetentionMs : -1;
        long growth = 0;
        for (int i = 0; i < errors.Length; i++)
        {
            OffsetToCommit asked = request.Offsets[i];
            errors[i] = Check(group, request.Producer, asked, ref growth);
            if (errors[i] == CoordinatorError.None)
            {
                records.Add(GroupRecords.Offset(group.Id, asked.Partition, ToCommit(asked, nowMs, expiresMs)));
            }
        }

        if (records.Count > 0
            && services.Write(group, request.Producer, records) is var refusal and not CoordinatorError.None)
        {
            return OffsetCommitResult.Of(refusal);
        }

        for (int i = 0; i < errors.Length; i++)
        {
            if (errors[i] == CoordinatorError.None)
            {
                OffsetToCommit asked = request.Offsets[i];
                Apply(group, request.Producer, asked.Partition, ToCommit(asked, nowMs, expiresMs));
            }
        }

        return new OffsetCommitResult { Offsets = errors };
    }

    // There are too many groups. Every client tells its user of this error, and tries no further.
    private OffsetCommitResult NoRoomForGroup(OffsetCommitRequest request)
    {
        CoordinatorError error = request.Producer.IsTransactional
            ? CoordinatorError.TransactionAbortable
            : CoordinatorError.PolicyViolation;
        CoordinatorError[] errors = new CoordinatorError[request.Offsets.Count];
        Array.Fill(errors, error);
        services.OffsetMemory.CountRefused(errors.Length);
        return new OffsetCommitResult { Offsets = errors };
    }

    // Who has no room in a transaction may abort it and go on.
    private CoordinatorError Check(Group group, ProducerStamp producer, in OffsetToCommit asked, ref long growth)
    {
        string metadata = asked.Metadata ?? "";
        if (Encoding.UTF8.GetByteCount(metadata) > services.Options.OffsetMetadataBytesMax)
        {
            return CoordinatorError.OffsetMetadataTooLarge;
        }

        long more = group.Offsets.GrowthBy(producer, asked.Partition, metadata);
        if (more > 0 && !services.OffsetMemory.HasRoom(growth + more))
        {
            services.OffsetMemory.CountRefused(1);
            return producer.IsTransactional
                ? CoordinatorError.TransactionAbortable
                : CoordinatorError.InvalidCommitOffsetSize;
        }

        growth += more;
        return CoordinatorError.None;
    }

    private static CommittedOffset ToCommit(in OffsetToCommit asked, long nowMs, long expiresMs) =>
        new(asked.Offset, asked.LeaderEpoch, asked.Metadata ?? "", nowMs, expiresMs);
}
