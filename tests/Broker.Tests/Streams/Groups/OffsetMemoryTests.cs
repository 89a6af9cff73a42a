using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Groups.Offsets;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>What committed offsets take of memory is bounded in sum, whoever commits for whatever names.</summary>
public sealed class OffsetMemoryTests
{
    private static readonly GroupOptions Small = new() { InitialRebalanceDelayMs = 0, OffsetsBytesMax = 100_000 };

    private readonly GroupScene _scene = new(Small);

    [Fact]
    public void Endless_names_of_groups_are_refused_at_the_limit_and_those_that_are_there_go_on()
    {
        int groups = Fill();
        Assert.InRange(groups, 90, 120);
        Assert.Equal(groups, _scene.List().Count);
        Assert.InRange(_scene.Coordinator.OffsetsBytes, 98_000, 100_000);
        Assert.Equal(1, _scene.Coordinator.OffsetsRefusedTotal);

        // More partitions of a group that is there fit until the rest is full; the next offset of a partition always.
        int partition = 1;
        while (GroupScene.ErrorOf(_scene.Commit(1, group: "g0", partition: partition)) == CoordinatorError.None)
        {
            partition++;
        }

        Assert.InRange(partition, 2, 8);
        Assert.Equal(-1, _scene.Fetch("g0", partition: partition).Committed.Offset);
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(2, group: "g0")));
        Assert.Equal(2, _scene.Fetch("g0").Committed.Offset);
        Assert.Equal(2, _scene.Coordinator.OffsetsRefusedTotal);
    }

    [Fact]
    public void Metadata_counts()
    {
        string large = new('m', 4000);
        int partition = 0;
        while (GroupScene.ErrorOf(_scene.Commit(1, partition: partition, metadata: large)) == CoordinatorError.None)
        {
            partition++;
        }

        Assert.Equal(12, partition);
        // What takes no more than before is always taken.
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(2, metadata: large)));
        Assert.Equal(
            CoordinatorError.InvalidCommitOffsetSize,
            GroupScene.ErrorOf(_scene.Commit(2, group: "other", metadata: large)));
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(3)));
        Assert.Equal(
            CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(2, partition: partition, metadata: "small")));
    }

    [Fact]
    public void Of_one_request_what_fits_is_kept()
    {
        string large = new('m', 4000);
        Answer<OffsetCommitResult> answer = new();
        _scene.Coordinator.CommitOffsets(
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef("g", -1, "", null),
                Offsets =
                [
                    .. Enumerable.Range(0, 20)
                        .Select(p => new OffsetToCommit(new TopicPartition("t", p), 1, -1, large)),
                ],
            },
            answer.Take);
        int kept = answer.Value.Offsets.TakeWhile(error => error == CoordinatorError.None).Count();
        Assert.InRange(kept, 10, 12);
        Assert.All(answer.Value.Offsets.Skip(kept), e => Assert.Equal(CoordinatorError.InvalidCommitOffsetSize, e));
        Assert.Equal(1, _scene.Fetch(partition: kept - 1).Committed.Offset);
        Assert.Equal(-1, _scene.Fetch(partition: kept).Committed.Offset);
    }

    [Fact]
    public void What_is_read_back_at_a_start_counts_and_is_not_dropped()
    {
        int groups = Fill();
        long bytes = _scene.Coordinator.OffsetsBytes;
        _scene.Crash();
        Assert.Equal(groups, _scene.List().Count);
        Assert.Equal(bytes, _scene.Coordinator.OffsetsBytes);
        Assert.Equal(CoordinatorError.InvalidCommitOffsetSize, GroupScene.ErrorOf(_scene.Commit(1, group: "more")));
    }

    [Fact]
    public void Whatever_ends_an_offset_gives_its_room_back()
    {
        _scene.Topics.Set("t", 1);
        Fill();
        Assert.Equal(CoordinatorError.None, _scene.Delete("g0"));
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(1, group: "new")));
        Answer<OffsetCommitResult> deleted = new();
        _scene.Coordinator.DeleteOffsets("g1", [new TopicPartition("t", 0)], deleted.Take);
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(deleted));
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(1, group: "newer")));
        _scene.Clock.Advance(Small.OffsetRetentionMs + 1);
        _scene.Coordinator.Tick();
        Assert.Equal(0, _scene.Coordinator.OffsetsBytes);
        Assert.Empty(_scene.List());

        _scene.Commit(1, topic: "u", metadata: "words");
        _scene.Coordinator.OnTopicDeleted("u");
        Assert.Equal(0, _scene.Coordinator.OffsetsBytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Offsets_of_open_transactions_count_and_their_commit_is_never_refused(bool commit)
    {
        ProducerStamp producer = new(77, 3);
        int partition = 0;
        while (GroupScene.ErrorOf(_scene.Commit(1, partition: partition, producer: producer)) == CoordinatorError.None)
        {
            partition++;
        }

        Assert.Equal(
            CoordinatorError.TransactionAbortable,
            GroupScene.ErrorOf(_scene.Commit(1, partition: partition, producer: producer)));
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(2, partition: 0, producer: producer)));
        long open = _scene.Coordinator.OffsetsBytes;
        int lane = _scene.Coordinator.PartitionOf("g");
        _scene.Log.Mark(lane, producer, commit);
        _scene.Coordinator.EndTransaction(lane, producer, commit);
        Assert.Equal(commit ? partition - 1 : -1, LastCommitted(partition));
        Assert.InRange(_scene.Coordinator.OffsetsBytes, commit ? OffsetMemory.GroupBytes : 0, commit ? open : 0);
        long bytes = _scene.Coordinator.OffsetsBytes;
        _scene.Crash();
        Assert.Equal(bytes, _scene.Coordinator.OffsetsBytes);
    }

    [Fact]
    public void A_group_that_is_deleted_while_a_transaction_is_open_stays_deleted()
    {
        ProducerStamp producer = new(77, 3);
        _scene.Commit(1);
        _scene.Commit(2, partition: 1, producer: producer);
        Assert.Equal(CoordinatorError.None, _scene.Delete());
        int lane = _scene.Coordinator.PartitionOf("g");
        _scene.Log.Mark(lane, producer, true);
        _scene.Coordinator.EndTransaction(lane, producer, committed: true);
        Assert.Empty(_scene.List());
        Assert.Equal(0, _scene.Coordinator.OffsetsBytes);
        _scene.Crash();
        Assert.Empty(_scene.List());
    }

    /// <summary>Else a topic of the same name that is made later would begin somewhere in its middle.</summary>
    [Fact]
    public void What_an_open_transaction_would_commit_goes_with_its_topic()
    {
        ProducerStamp producer = new(77, 3);
        _scene.Commit(5, producer: producer);
        _scene.Coordinator.OnTopicDeleted("t");
        Assert.Equal(CoordinatorError.None, _scene.Fetch(stable: true).Error);
        int lane = _scene.Coordinator.PartitionOf("g");
        _scene.Log.Mark(lane, producer, true);
        _scene.Coordinator.EndTransaction(lane, producer, committed: true);
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
        _scene.Crash();
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void A_single_offset_of_an_open_transaction_can_be_deleted_for_good()
    {
        ProducerStamp producer = new(77, 3);
        _scene.Commit(5, producer: producer);
        Answer<OffsetCommitResult> deleted = new();
        _scene.Coordinator.DeleteOffsets("g", [new TopicPartition("t", 0)], deleted.Take);
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(deleted));
        int lane = _scene.Coordinator.PartitionOf("g");
        _scene.Log.Mark(lane, producer, true);
        _scene.Coordinator.EndTransaction(lane, producer, committed: true);
        _scene.Crash();
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void A_group_with_very_many_offsets_is_deleted_and_expires_too()
    {
        GroupScene scene = new(Small with { OffsetsBytesMax = 100 << 20 });
        OffsetToCommit[] many =
            [.. Enumerable.Range(0, 12_000).Select(p => new OffsetToCommit(new TopicPartition("t", p), p, -1, null))];
        Keep(scene, "a", many);
        Keep(scene, "b", many);
        Assert.Equal(CoordinatorError.None, scene.Delete("a"));
        Assert.Equal(["b"], scene.List().Select(group => group.GroupId));
        scene.Clock.Advance(Small.OffsetRetentionMs + 1);
        scene.Coordinator.Tick();
        Assert.Empty(scene.List());
        scene.Crash();
        Assert.Empty(scene.List());
    }

    private static void Keep(GroupScene scene, string group, OffsetToCommit[] offsets)
    {
        Answer<OffsetCommitResult> answer = new();
        scene.Coordinator.CommitOffsets(
            new OffsetCommitRequest { Member = new GroupMemberRef(group, -1, "", null), Offsets = offsets },
            answer.Take);
        Assert.All(answer.Value.Offsets, error => Assert.Equal(CoordinatorError.None, error));
    }

    // Commits for one name after another; how many were taken.
    private int Fill()
    {
        for (int i = 0; i < 1000; i++)
        {
            CoordinatorError error = GroupScene.ErrorOf(_scene.Commit(1, group: $"g{i}"));
            if (error != CoordinatorError.None)
            {
                Assert.Equal(CoordinatorError.InvalidCommitOffsetSize, error);
                return i;
            }
        }

        throw new InvalidOperationException("no limit");
    }

    private int LastCommitted(int below)
    {
        while (--below >= 0 && _scene.Fetch(partition: below).Committed.Offset < 0)
        {
        }

        return below;
    }
}
