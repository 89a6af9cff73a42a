using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Consumer;
using Pillarbox.Broker.Streams.Groups.Offsets;
using Pillarbox.Broker.Streams.Groups.Share;
using Pillarbox.Model;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>The seams that a coordinator stands on.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Random">Randomness, for names of members.</param>
/// <param name="Topics">The topics as they are.</param>
/// <param name="Logger">Where damage is reported.</param>
public sealed record CoordinatorSeams(TimeProvider Time, IRandom Random, ITopicView Topics, ILogger Logger);

/// <summary>
/// Consumer groups and their offsets: the front of the house. Any thread asks; the answer comes by the callback, once,
/// on whichever thread drains the loop, as soon as what it says is on disk. A callback must be short and must not
/// wait; it posts to its connection.
/// </summary>
public sealed class GroupCoordinator
{
    private readonly CoordinatorLoop _loop;
    private readonly GroupServices _services;
    private readonly GroupTable _groups;
    private readonly ClassicProtocol _classic;
    private readonly ClassicInConsumer _classicOfConsumer;
    private readonly ConsumerHeartbeats _consumer;
    private readonly ShareHeartbeats _share;
    private readonly Migration _migration;
    private readonly OffsetCommits _offsets;
    private readonly Subscriptions _subscriptions;
    private readonly CoordinatorTimer _sweep;
    private readonly GroupRequests _checks;

    private GroupCoordinator(GroupOptions options, ICoordinatorLog log, CoordinatorLoop loop, CoordinatorSeams seams)
    {
        _loop = loop;
        CoordinatorStore store = new(log, loop);
        _services = new GroupServices(options, store, seams.Topics, seams.Time, seams.Random);
        ClassicRebalance rebalance = new(_services);
        _subscriptions = new Subscriptions(seams.Topics, options, seams.Time);
        ConsumerTargets targets = new(_services, _subscriptions);
        ConsumerMembers members = new(_services, targets);
        _groups = new GroupTable(_services, rebalance, _subscriptions);
        _subscriptions.Members = () => _groups.All.SelectMany(g => g.Consumer?.Members ?? []);
        _migration = new Migration(_services, rebalance, members);
        _classic = new ClassicProtocol(_services, rebalance);
        _classicOfConsumer = new ClassicInConsumer(_services, targets, members);
        _share = new ShareHeartbeats(_services);
        _consumer = new ConsumerHeartbeats(_services, targets, members);
        _offsets = new OffsetCommits(_services, _groups);
        _checks = new GroupRequests(options);
        _sweep = new CoordinatorTimer(Sweep);
        GroupReplay replay = new(_groups, _offsets, rebalance, members, _share, seams.Logger);
        store.Replay(replay);
        replay.Finish();
        foreach (Group group in _groups.All)
        {
            _services.Memory.Count(group);
        }

        _services.Timers.Arm(_sweep, _services.NowMs + options.OffsetSweepMs);
    }

    /// <summary>Reads back what the log has; ready when it returns.</summary>
    public static GroupCoordinator Open(
        GroupOptions options, ICoordinatorLog log, CoordinatorLoop loop, CoordinatorSeams seams) =>
        new(options, log, loop, seams);

    /// <summary>Bytes of memory that committed offsets take, as an estimate. Any thread.</summary>
    public long OffsetsBytes => _services.OffsetMemory.Bytes;

    /// <summary>Commits of offsets that were refused since start, for want of room. Any thread.</summary>
    public long OffsetsRefusedTotal => _services.OffsetMemory.RefusedTotal;

    /// <summary>The partition of the coordinator's stream that keeps a group.</summary>
    public int PartitionOf(string groupId) => _services.Store.PartitionOf(groupId);

    /// <summary>Does what is due. Called every 50 ms or so by the node.</summary>
    public void Tick() => _loop.Post(() => _services.Timers.Run(_services.NowMs));

    /// <summary>A member of the classic protocol joins, or joins again: answered when the group has settled.</summary>
    public void Join(JoinRequest request, Action<JoinResult> done) => _loop.Post(() =>
    {
        CoordinatorError error = _checks.Check(request);
        Group? group = error == CoordinatorError.None ? _groups.Find(request.GroupId) : null;
        if (error == CoordinatorError.None && group is null && request.MemberId.Length > 0)
        {
            error = CoordinatorError.UnknownMemberId;
        }

        if (error == CoordinatorError.None)
        {
            group ??= _groups.GetOrAdd(request.GroupId);
            error = group is null ? CoordinatorError.PolicyViolation
                : group.Share is not null ? CoordinatorError.InconsistentGroupProtocol
                : CoordinatorError.None;
        }

        if (error != CoordinatorError.None)
        {
            done(new JoinResult { Error = error, MemberId = request.MemberId });
            return;
        }

        _migration.BeforeJoin(group!);
        if (group!.Consumer is not null)
        {
            _classicOfConsumer.Join(group, request, done);
            return;
        }

        _classic.Join(group, request, done);
        _groups.RemoveIfUnused(group);
    });

    /// <summary>A member of the classic protocol asks for its part, or the leader says whose part is which.</summary>
    public void Sync(SyncRequest request, Action<SyncResult> done) => _loop.Post(() =>
    {
        if (Find(request.Member.GroupId, done) is not { } group)
        {
            return;
        }

        if (_checks.Check(request) is var error and not CoordinatorError.None)
        {
            done(SyncResult.Of(error));
            return;
        }

        if (group.Consumer is null)
        {
            _classic.Sync(group, request, done);
        }
        else
        {
            _classicOfConsumer.Sync(group, request, done);
        }
    });

    /// <summary>A member of the classic protocol is still there.</summary>
    public void Heartbeat(GroupMemberRef who, Action<PlainResult> done) => _loop.Post(() =>
    {
        if (Find(who.GroupId, done) is { } group)
        {
            CoordinatorError error = group.Consumer is null
                ? _classic.Heartbeat(group, who)
                : _classicOfConsumer.Heartbeat(group, who);
            _services.Reply(group, done, new PlainResult(error));
        }
    });

    /// <summary>Members of the classic protocol leave; one error for each, in the order of the request.</summary>
    public void Leave(string groupId, IReadOnlyList<LeavingMember> members, Action<LeaveResult> done) =>
        _loop.Post(() =>
        {
            if (_groups.Find(groupId) is not { } group)
            {
                done(groupId.Length == 0
                    ? LeaveResult.Of(CoordinatorError.InvalidGroupId)
                    : new LeaveResult { Members = [.. members.Select(_ => CoordinatorError.UnknownMemberId)] });
                return;
            }

            LeaveResult result = new()
            {
                Members = [.. members.Select(m =>
                    group.Consumer is null ? _classic.Leave(group, m) : _classicOfConsumer.Leave(group, m))],
            };
            _services.Reply(group, done, result);
        });

    /// <summary>The one request of the <c>consumer</c> protocol.</summary>
    public void ConsumerHeartbeat(ConsumerHeartbeatRequest request, Action<ConsumerHeartbeatResult> done) =>
        _loop.Post(() =>
        {
            if (Refusal(request) is { } refusal)
            {
                done(refusal);
                return;
            }

            bool joins = request.MemberEpoch == HeartbeatRules.Join;
            Group? group = joins ? _groups.GetOrAdd(request.GroupId) : _groups.Find(request.GroupId);
            if (group is not null && joins)
            {
                _migration.BeforeHeartbeat(group);
            }

            if (group?.Consumer is null)
            {
                done(NoGroup(group, joins));
                return;
            }

            _consumer.Beat(group, request, done);
        });

    /// <summary>A group of the <c>consumer</c> protocol.</summary>
    public void ConsumerDescribe(string groupId, Action<ConsumerGroupView> done) => _loop.Post(() =>
        done(_groups.Find(groupId) is { Consumer: not null } group
            ? ConsumerDescription.Of(group)
            : ConsumerGroupView.Of(CoordinatorError.GroupIdNotFound) with { GroupId = groupId }));

    /// <summary>Told of members of share groups that are no longer there, by group and member; on the loop.</summary>
    public Action<string, string>? ShareMemberGone
    {
        get => _share.Gone;
        set => _share.Gone = value;
    }

    /// <summary>Told of share groups that were deleted; on the loop.</summary>
    public Action<string>? ShareGroupDeleted { get; set; }

    /// <summary>The heartbeat of share groups: of the request only group, member, epoch, rack, topics and client
    /// count.</summary>
    public void ShareHeartbeat(ConsumerHeartbeatRequest request, Action<ConsumerHeartbeatResult> done) =>
        _loop.Post(() =>
        {
            if ((ShareHeartbeats.Check(request) ?? _checks.CheckTopics(request)) is { } problem)
            {
                done(ConsumerHeartbeatResult.Of(CoordinatorError.InvalidRequest) with { Message = problem });
                return;
            }

            bool joins = request.MemberEpoch == HeartbeatRules.Join;
            Group? group = joins ? _groups.GetOrAdd(request.GroupId) : _groups.Find(request.GroupId);
            if (joins && group?.IsBlank == true)
            {
                group.Share = new ShareGroup();
            }

            if (group?.Share is null)
            {
                done(NoGroup(group, joins));
                return;
            }

            _share.Beat(group, request, done);
            if (group.Share is { Members.Count: 0, Epoch: 0 })
            {
                // Its first member was refused: it has never been.
                group.Share = null;
                _groups.RemoveIfUnused(group);
            }
        });

    /// <summary>A share group.</summary>
    public void ShareDescribe(string groupId, Action<ConsumerGroupView> done) => _loop.Post(() =>
        done(_groups.Find(groupId) is { Share: not null } group
            ? ShareHeartbeats.Describe(group)
            : ConsumerGroupView.Of(CoordinatorError.GroupIdNotFound) with { GroupId = groupId }));

    /// <summary>Keeps offsets. The caller has checked that the topics exist and may be read.</summary>
    public void CommitOffsets(OffsetCommitRequest request, Action<OffsetCommitResult> done) =>
        _loop.Post(() => _offsets.Commit(request, done));

    /// <summary>As <see cref="CommitOffsets"/>, for whoever is on the loop.</summary>
    internal void CommitOffsetsNow(OffsetCommitRequest request, Action<OffsetCommitResult> done) =>
        _offsets.Commit(request, done);

    /// <summary>The offsets that a group has committed.</summary>
    public void FetchOffsets(OffsetFetchRequest request, Action<OffsetFetchResult> done) =>
        _loop.Post(() => _offsets.Fetch(request, done));

    /// <summary>Forgets single offsets; one error for each, in the order of the request.</summary>
    public void DeleteOffsets(
        string groupId, IReadOnlyList<TopicPartition> partitions, Action<OffsetCommitResult> done) =>
        _loop.Post(() =>
        {
            if (_groups.Find(groupId) is not { } group)
            {
                done(OffsetCommitResult.Of(CoordinatorError.GroupIdNotFound));
            }
            else if (!GroupTable.IsEmpty(group) && !GroupTable.TellsSubscriptions(group))
            {
                done(OffsetCommitResult.Of(CoordinatorError.NonEmptyGroup));
            }
            else
            {
                OffsetCommitResult result = new() { Offsets = _offsets.Delete(group, partitions) };
                _services.Reply(group, done, result);
            }
        });

    /// <summary>What a group is given, whether it is there or not.</summary>
    public void GetConfig(string groupId, Action<GroupConfig> done) =>
        _loop.Post(() => done(_services.Configs.Of(groupId)));

    /// <summary>The groups that are given something, by name.</summary>
    public void ListConfigs(Action<IReadOnlyList<string>> done) => _loop.Post(() => done(_services.Configs.Groups));

    /// <summary>Changes what a group is given: the function gets that and changes it, or returns a sentence why it
    /// cannot; it must not wait.</summary>
    public void ChangeConfig(
        string groupId, Func<Dictionary<string, string>, string?> change, bool validateOnly,
        Action<GroupConfigResult> done) =>
        _loop.Post(() => _services.Configs.Change(groupId, change, validateOnly, done));

    /// <summary>The settings that a group has of its own. For whoever is on the loop.</summary>
    internal GroupConfig ConfigOf(string groupId) => _services.Configs.Of(groupId);

    /// <summary>All groups, of every kind.</summary>
    public void List(Action<IReadOnlyList<GroupListing>> done) =>
        _loop.Post(() => done([.. _groups.All.Select(GroupTable.Listing)]));

    /// <summary>The group as members of the classic protocol see it.</summary>
    public void Describe(string groupId, Action<ClassicGroupView> done) => _loop.Post(() =>
    {
        Group? group = _groups.Find(groupId);
        done(group is not { Type: GroupType.Classic }
            ? ClassicGroupView.Of(CoordinatorError.GroupIdNotFound) with { GroupId = groupId }
            : ClassicDescription.Of(group));
    });

    /// <summary>Deletes a group that nobody is in, with its offsets.</summary>
    public void Delete(string groupId, Action<PlainResult> done) => _loop.Post(() =>
    {
        Group? group = _groups.Find(groupId);
        PlainResult result = new(_groups.Delete(groupId));
        if (group?.Share is not null && result.Error == CoordinatorError.None)
        {
            ShareGroupDeleted?.Invoke(groupId);
        }

        if (group is null)
        {
            done(result);
        }
        else
        {
            _services.Reply(group, done, result);
        }
    });

    /// <summary>Forgets the offsets of topics that are not there: they went while the node was stopping.</summary>
    public void ForgetMissingTopics() => _loop.Post(_offsets.ForgetMissingTopics);

    /// <summary>A topic is no more: its offsets go with it.</summary>
    public void OnTopicDeleted(string topic) => _loop.Post(() => _offsets.ForgetTopic(topic));

    /// <summary>A transaction's end is on disk in a partition of this coordinator's stream.</summary>
    public void EndTransaction(int partition, ProducerStamp producer, bool committed) =>
        _loop.Post(() => _offsets.EndTransaction(partition, producer.Id, committed));

    private ConsumerHeartbeatResult? Refusal(ConsumerHeartbeatRequest request)
    {
        if ((HeartbeatRules.Check(request) ?? _checks.CheckTopics(request)) is { } problem)
        {
            return ConsumerHeartbeatResult.Of(CoordinatorError.InvalidRequest) with { Message = problem };
        }

        if (request.ServerAssignor is { } assignor && !Assignors.All.Contains(assignor))
        {
            string known = string.Join(", ", Assignors.All);
            return ConsumerHeartbeatResult.Of(CoordinatorError.UnsupportedAssignor) with
            {
                Message = $"there is no assignor '{assignor}'; there are: {known}",
            };
        }

        return request.SubscribedRegex is { Length: > 0 } regex && _subscriptions.Check(regex) is { } wrong
            ? ConsumerHeartbeatResult.Of(CoordinatorError.InvalidRegularExpression) with { Message = wrong }
            : null;
    }

    // Either there are too many groups, or this one is not there or speaks another protocol.
    private static ConsumerHeartbeatResult NoGroup(Group? group, bool joins) => joins && group is null
        ? ConsumerHeartbeatResult.Of(CoordinatorError.PolicyViolation) with
        {
            Message = "there are as many groups, or members of groups, as the node takes",
        }
        : ConsumerHeartbeatResult.Of(CoordinatorError.GroupIdNotFound);

    private Group? Find<T>(string groupId, Action<T> done)
        where T : ICoordinatorResult<T>
    {
        Group? group = _groups.Find(groupId);
        if (group is null)
        {
            done(T.Of(groupId.Length == 0 ? CoordinatorError.InvalidGroupId : CoordinatorError.UnknownMemberId));
        }

        return group;
    }

    private void Sweep()
    {
        _offsets.Sweep();
        _subscriptions.Keep();
        _services.Timers.Arm(_sweep, _services.NowMs + _services.Options.OffsetSweepMs);
    }
}
