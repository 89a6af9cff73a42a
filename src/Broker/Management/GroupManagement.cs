using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Groups.Records;
using Pillarbox.Model;

namespace Pillarbox.Broker.Management;

/// <summary>
/// What an operator sees of the groups that read streams and does to them. Any thread; views are immutable copies.
/// Operations check the identity's permissions on the address of the group's name and throw
/// <see cref="BrokerException"/> on refusal; what they changed is on disk when they complete.
/// </summary>
public sealed class GroupManagement
{
    private readonly MessageBroker _broker;

    internal GroupManagement(MessageBroker broker) => _broker = broker;

    /// <summary>The groups that the identity may view, by name; those too that only have settings yet.</summary>
    public async Task<IReadOnlyList<GroupView>> ListAsync(Identity who, string space)
    {
        var views = new List<GroupView>();
        foreach (GroupListing listing in await ListingsAsync(space).ConfigureAwait(false))
        {
            if (May(who, Permission.View, space, listing.GroupId))
            {
                views.Add(await ViewAsync(space, listing).ConfigureAwait(false));
            }
        }

        foreach (string group in await OnlyWithSettingsAsync(space, views).ConfigureAwait(false))
        {
            if (May(who, Permission.View, space, group)
                && await FindSettingsAsync(space, group).ConfigureAwait(false) is { } view)
            {
                views.Add(view);
            }
        }

        return [.. views.OrderBy(view => view.GroupId, StringComparer.Ordinal)];
    }

    /// <summary>What committed offsets take of memory, in the address spaces where the identity may view everything and
    /// groups are in use.</summary>
    public IReadOnlyList<OffsetsView> ListOffsetMemory(Identity who) =>
        [.. OffsetMemory().Where(view => May(who, Permission.View, view.AddressSpace, AddressPattern.AnyWords))];

    /// <summary>The same of all address spaces.</summary>
    internal IEnumerable<OffsetsView> OffsetMemory() =>
        from coordinators in _broker.CoordinatorsInUse
        let groups = coordinators.Value.Groups
        select new OffsetsView(
            coordinators.Key, groups.OffsetsBytes, _broker.CoordinatorLimits.Groups.OffsetsBytesMax,
            groups.OffsetsRefusedTotal);

    /// <summary>One group. Errors: NotFound.</summary>
    public async Task<GroupView> ShowAsync(Identity who, string space, string group)
    {
        Authorize(who, Permission.View, space, group);
        return await FindAsync(space, group).ConfigureAwait(false)
            ?? await FindSettingsAsync(space, group).ConfigureAwait(false)
            ?? throw NotFound(group);
    }

    /// <summary>Deletes a group that nobody is in, with its offsets and settings; also one that only has settings.
    /// Errors: NotFound, PreconditionFailed.</summary>
    public async Task DeleteAsync(Identity who, string space, string group)
    {
        Authorize(who, Permission.Manage, space, group);
        if (Coordinators(space) is not { } coordinators)
        {
            throw NotFound(group);
        }

        PlainResult result = await AskAsync<PlainResult>(done => coordinators.Groups.Delete(group, done))
            .ConfigureAwait(false);
        bool hasSettings = (await ConfigAsync(space, group).ConfigureAwait(false)).Count > 0;
        if (hasSettings && result.Error is (CoordinatorError.None or CoordinatorError.GroupIdNotFound))
        {
            result = await ForgetSettingsAsync(coordinators, group).ConfigureAwait(false);
        }

        ThrowUnlessNone(result.Error, group);
    }

    /// <summary>Sets some settings of a group, and gives others back to their defaults; also before anybody is in it.
    /// Errors: InvalidField when one of it cannot be; nothing is changed then.</summary>
    public async Task AlterAsync(
        Identity who, string space, string group, IReadOnlyDictionary<string, string> set,
        IReadOnlyCollection<string> reset)
    {
        Authorize(who, Permission.Edit, space, group);
        StreamCoordinators coordinators = Make(space);
        GroupConfigResult result = await AskAsync<GroupConfigResult>(
            done => coordinators.Groups.ChangeConfig(group, Change, validateOnly: false, done)).ConfigureAwait(false);
        if (result.Error == CoordinatorError.InvalidConfig)
        {
            throw new BrokerException(BrokerError.InvalidField, result.Message ?? $"refused: {result.Error}");
        }

        ThrowUnlessNone(result.Error, group);

        string? Change(Dictionary<string, string> given)
        {
            foreach ((string name, string value) in set)
            {
                given[name] = value;
            }

            string? unknown = reset.FirstOrDefault(name => !GroupConfig.All.ContainsKey(name));
            foreach (string name in reset)
            {
                given.Remove(name);
            }

            return unknown is null ? null : $"there is no setting '{unknown}' of groups";
        }
    }

    /// <summary>
    /// Moves a group's committed offsets, or only says what would be. Nobody may be in the group. A target outside of
    /// what a partition has becomes its nearest end. Errors: NotFound, PreconditionFailed, InvalidField.
    /// </summary>
    /// <param name="who">Who asks.</param>
    /// <param name="space">The address space.</param>
    /// <param name="group">The group; one that does not exist is made.</param>
    /// <param name="streams">Of which partitions; null: of all that the group has offsets of.</param>
    /// <param name="target">Where it shall go on.</param>
    /// <param name="execute">False: change nothing.</param>
    public async Task<IReadOnlyList<OffsetMove>> ResetAsync(
        Identity who, string space, string group, IReadOnlyList<StreamSelection>? streams, OffsetTarget target,
        bool execute)
    {
        Authorize(who, Permission.Manage, space, group);
        GroupView? view = await FindAsync(space, group).ConfigureAwait(false);
        if (view is null && streams is null)
        {
            throw NotFound(group);
        }

        if (view?.Members.Count > 0)
        {
            throw new BrokerException(
                BrokerError.PreconditionFailed,
                $"group '{group}' has {view.Members.Count} members: stop them, then move its offsets");
        }

        OffsetMove[] moves = [.. Selected(who, space, view, streams).Select(partition => MoveOf(
            partition.Partition, partition.Stream, view, target))];
        if (execute && moves.Length > 0)
        {
            await MoveAsync(space, group, view?.Type ?? GroupType.Classic, moves).ConfigureAwait(false);
        }

        return moves;
    }

    private static async Task<PlainResult> ForgetSettingsAsync(StreamCoordinators coordinators, string group)
    {
        GroupConfigResult result = await AskAsync<GroupConfigResult>(done => coordinators.Groups.ChangeConfig(
            group, Forget, validateOnly: false, done)).ConfigureAwait(false);
        return new PlainResult(result.Error);

        static string? Forget(Dictionary<string, string> given)
        {
            given.Clear();
            return null;
        }
    }

    private static OffsetMove MoveOf(
        Partition partition, string stream, GroupView? view, OffsetTarget target)
    {
        TopicPartition place = new(stream, partition.Number);
        long before = view?.Offsets.FirstOrDefault(o => o.Partition == place)?.Offset ?? -1;
        long start = partition.StartOffset;
        long end = partition.HighWatermark;
        long after = target.Kind switch
        {
            OffsetTargetKind.Earliest => start,
            OffsetTargetKind.Latest => end,
            OffsetTargetKind.Offset => target.Value,
            OffsetTargetKind.Time => TimeOf(partition, target.Value),
            _ when before < 0 => throw new BrokerException(
                BrokerError.InvalidField,
                $"nothing is committed of {stream}:{partition.Number}, so it cannot be shifted"),
            _ => before + Math.Clamp(target.Value, -before, long.MaxValue - before),
        };
        return new OffsetMove(place, before, Math.Clamp(after, start, end));
    }

    private static long TimeOf(Partition partition, long timestampMs)
    {
        OffsetResult found = partition.ListOffset(timestampMs, Isolation.Uncommitted);
        return found.Error != StreamError.None
            ? throw StreamManagement.Refused(found.Error, $"partition {partition.Number}: {found.Error}")
            : found.Offset < 0 ? partition.HighWatermark : found.Offset;
    }

    private IEnumerable<(Partition Partition, string Stream)> Selected(
        Identity who, string space, GroupView? view, IReadOnlyList<StreamSelection>? streams)
    {
        StreamCatalog catalog = Catalog(space);
        streams ??= [.. view!.Offsets.GroupBy(o => o.Partition.Topic, StringComparer.Ordinal)
            .Select(topic => new StreamSelection(topic.Key, [.. topic.Select(o => o.Partition.Partition)]))];
        foreach (StreamSelection selection in streams)
        {
            Authorize(who, Permission.View, space, selection.Stream);
            RecordStream stream = catalog.Find(selection.Stream) ?? throw new BrokerException(
                BrokerError.NotFound, $"there is no stream '{selection.Stream}'");
            foreach (int number in selection.Partitions ?? [.. stream.Partitions.Select(p => p.Number)])
            {
                Partition partition = stream.FindPartition(number) ?? throw new BrokerException(
                    BrokerError.NotFound, $"stream '{selection.Stream}' has no partition {number}");
                yield return (partition, selection.Stream);
            }
        }
    }

    private async Task MoveAsync(string space, string group, GroupType type, OffsetMove[] moves)
    {
        StreamCoordinators coordinators = Make(space);
        if (type == GroupType.Share)
        {
            StreamCatalog catalog = Catalog(space);
            foreach (OffsetMove move in moves)
            {
                RecordStream? stream = catalog.Find(move.Partition.Topic);
                SharePartitionKey key = new(group, new(stream?.Id ?? Guid.Empty, move.Partition.Partition));
                PlainResult reset = await AskAsync<PlainResult>(
                    done => coordinators.Shares.Reset(key, move.After, done)).ConfigureAwait(false);
                ThrowUnlessNone(reset.Error, group);
            }

            return;
        }

        OffsetCommitRequest request = new()
        {
            Member = new GroupMemberRef(group, -1, "", null),
            Offsets = [.. moves.Select(move => new OffsetToCommit(move.Partition, move.After, -1, null))],
        };
        OffsetCommitResult result = await AskAsync<OffsetCommitResult>(
            done => coordinators.Groups.CommitOffsets(request, done)).ConfigureAwait(false);
        ThrowUnlessNone(result.Error, group);
        foreach (CoordinatorError error in result.Offsets)
        {
            ThrowUnlessNone(error, group);
        }
    }

    private async Task<IReadOnlyList<GroupListing>> ListingsAsync(string space)
    {
        if (Coordinators(space) is not { } coordinators)
        {
            return [];
        }

        IReadOnlyList<GroupListing> all = await AskAsync<IReadOnlyList<GroupListing>>(
            done => coordinators.Groups.List(done)).ConfigureAwait(false);
        return [.. all.OrderBy(listing => listing.GroupId, StringComparer.Ordinal)];
    }

    private async Task<GroupView?> FindAsync(string space, string group)
    {
        IReadOnlyList<GroupListing> listings = await ListingsAsync(space).ConfigureAwait(false);
        return listings.FirstOrDefault(listing => listing.GroupId == group) is { } found
            ? await ViewAsync(space, found).ConfigureAwait(false)
            : null;
    }

    private async Task<IEnumerable<string>> OnlyWithSettingsAsync(string space, List<GroupView> listed)
    {
        if (Coordinators(space) is not { } coordinators)
        {
            return [];
        }

        IReadOnlyList<string> given = await AskAsync<IReadOnlyList<string>>(
            done => coordinators.Groups.ListConfigs(done)).ConfigureAwait(false);
        return given.Except(listed.Select(view => view.GroupId), StringComparer.Ordinal);
    }

    // A group that only has settings yet: it is of the kind that those are for.
    private async Task<GroupView?> FindSettingsAsync(string space, string group)
    {
        IReadOnlyDictionary<string, string> given = Coordinators(space) is null
            ? GroupConfig.Default.Given
            : await ConfigAsync(space, group).ConfigureAwait(false);
        bool isShare = given.Keys.Any(name => name.StartsWith("share.", StringComparison.Ordinal));
        return given.Count == 0 ? null : new GroupView(
            space, group, isShare ? GroupType.Share : GroupType.Consumer, "Empty", [], [])
        {
            Config = given,
        };
    }

    private async Task<IReadOnlyDictionary<string, string>> ConfigAsync(string space, string group)
    {
        StreamCoordinators coordinators = Make(space);
        GroupConfig config = await AskAsync<GroupConfig>(done => coordinators.Groups.GetConfig(group, done))
            .ConfigureAwait(false);
        return config.Given;
    }

    private async Task<GroupView> ViewAsync(string space, GroupListing listing)
    {
        StreamCoordinators coordinators = Make(space);
        StreamCatalog catalog = Catalog(space);
        (string state, List<GroupMemberView> members) =
            await MembersAsync(coordinators, catalog, listing).ConfigureAwait(false);
        Dictionary<TopicPartition, string> readers = [];
        foreach (GroupMemberView member in members)
        {
            foreach (TopicPartition partition in member.Assigned)
            {
                readers[partition] = member.MemberId;
            }
        }

        IEnumerable<(TopicPartition Partition, long Offset, string Metadata)> committed =
            await OffsetsAsync(coordinators, catalog, listing).ConfigureAwait(false);
        GroupOffsetView[] offsets = [.. committed
            .OrderBy(o => o.Partition.Topic, StringComparer.Ordinal).ThenBy(o => o.Partition.Partition)
            .Select(o => new GroupOffsetView(
                o.Partition, o.Offset,
                catalog.Find(o.Partition.Topic)?.FindPartition(o.Partition.Partition)?.HighWatermark ?? -1,
                o.Metadata, readers.GetValueOrDefault(o.Partition)))];
        return new GroupView(space, listing.GroupId, listing.Type, state, members, offsets)
        {
            Config = await ConfigAsync(space, listing.GroupId).ConfigureAwait(false),
        };
    }

    private static async Task<(string State, List<GroupMemberView> Members)> MembersAsync(
        StreamCoordinators coordinators, StreamCatalog catalog, GroupListing listing)
    {
        string group = listing.GroupId;
        if (listing.Type == GroupType.Classic)
        {
            ClassicGroupView classic = await AskAsync<ClassicGroupView>(
                done => coordinators.Groups.Describe(group, done)).ConfigureAwait(false);
            return (classic.State, [.. classic.Members.Select(m => new GroupMemberView(
                m.MemberId, m.InstanceId, m.Client.ClientId, m.Client.Host,
                ConsumerProtocol.ReadAssignment(m.Assignment, out _) ?? []))]);
        }

        ConsumerGroupView consumer = await AskAsync<ConsumerGroupView>(done =>
        {
            if (listing.Type == GroupType.Share)
            {
                coordinators.Groups.ShareDescribe(group, done);
            }
            else
            {
                coordinators.Groups.ConsumerDescribe(group, done);
            }
        }).ConfigureAwait(false);
        return (consumer.State, [.. consumer.Members.Select(m => new GroupMemberView(
            m.MemberId, m.InstanceId, m.Client.ClientId, m.Client.Host,
            [.. m.Assignment.Select(p => new TopicPartition(catalog.Find(p.TopicId)?.Name ?? "", p.Partition))]))]);
    }

    private static async Task<IEnumerable<(TopicPartition Partition, long Offset, string Metadata)>> OffsetsAsync(
        StreamCoordinators coordinators, StreamCatalog catalog, GroupListing listing)
    {
        if (listing.Type == GroupType.Share)
        {
            IReadOnlyList<(SharePartitionKey Key, long StartOffset)> starts =
                await AskAsync<IReadOnlyList<(SharePartitionKey, long)>>(
                    done => coordinators.Shares.Starts(listing.GroupId, done)).ConfigureAwait(false);
            return starts.Select(s => (
                new TopicPartition(
                    catalog.Find(s.Key.Partition.TopicId)?.Name ?? "", s.Key.Partition.Partition), s.StartOffset, ""));
        }

        OffsetFetchRequest request = new() { Member = new GroupMemberRef(listing.GroupId, -1, "", null) };
        OffsetFetchResult result = await AskAsync<OffsetFetchResult>(
            done => coordinators.Groups.FetchOffsets(request, done)).ConfigureAwait(false);
        ThrowUnlessNone(result.Error, listing.GroupId);
        return result.Offsets.Select(o => (o.Partition, o.Committed.Offset, o.Committed.Metadata));
    }

    private static Task<T> AskAsync<T>(Action<Action<T>> ask)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        ask(result => answer.TrySetResult(result));
        return answer.Task;
    }

    private static BrokerException NotFound(string group) => new(BrokerError.NotFound, $"there is no group '{group}'");

    private static void ThrowUnlessNone(CoordinatorError error, string group)
    {
        if (error != CoordinatorError.None)
        {
            throw error switch
            {
                CoordinatorError.GroupIdNotFound => NotFound(group),
                CoordinatorError.InvalidGroupId => new BrokerException(
                    BrokerError.InvalidField, $"no group can have the name '{group}'"),
                CoordinatorError.NonEmptyGroup or CoordinatorError.UnknownMemberId
                    or CoordinatorError.RebalanceInProgress => new BrokerException(
                        BrokerError.PreconditionFailed, $"group '{group}' has members: stop them first"),
                CoordinatorError.PolicyViolation => new BrokerException(
                    BrokerError.ResourceLimitExceeded, "there are as many groups as the node takes"),
                CoordinatorError.InvalidCommitOffsetSize => new BrokerException(
                    BrokerError.ResourceLimitExceeded, "committed offsets take as much memory as they may"),
                _ => new BrokerException(BrokerError.Unavailable, $"group '{group}': {error}"),
            };
        }
    }

    private StreamCatalog Catalog(string space) =>
        _broker.StreamsOf(space)
        ?? throw new BrokerException(BrokerError.NotFound, $"there is no address space '{space}'");

    // To look whether there are groups makes no streams for them.
    private StreamCoordinators? Coordinators(string space) =>
        StreamCoordinators.AreInUse(Catalog(space)) ? Make(space) : null;

    private StreamCoordinators Make(string space) => _broker.CoordinatorsOf(space);

    private bool May(Identity who, Permission permission, string space, string group) =>
        _broker.Authorizer.IsAllowed(who, permission, space, new AddressName(group, null));

    private void Authorize(Identity who, Permission permission, string space, string name) =>
        _broker.Authorizer.Authorize(who, permission, space, new AddressName(name, null));
}
