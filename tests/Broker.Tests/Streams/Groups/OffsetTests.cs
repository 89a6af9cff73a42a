using System.Buffers.Binary;
using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>Committed offsets, told as stories.</summary>
public sealed class OffsetTests
{
    private const long Day = 24L * 3600 * 1000;
    private readonly GroupScene _scene = new();

    [Fact]
    public void An_offset_that_nobody_committed_is_minus_one() =>
        Assert.Equal(CommittedOffset.None, _scene.Fetch().Committed);

    [Fact]
    public void A_commit_from_outside_makes_a_group_of_offsets_alone()
    {
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(5, metadata: "mine")));
        Assert.Equal((5, 3, "mine"), Known(_scene.Fetch().Committed));
        Assert.Equal("Empty", _scene.List().Single().State);
        _scene.Crash();
        Assert.Equal((5, 3, "mine"), Known(_scene.Fetch().Committed));
    }

    [Fact]
    public void A_group_whose_name_is_too_long_to_be_kept_is_refused()
    {
        string name = new('g', 40_000);
        Assert.Equal(CoordinatorError.InvalidGroupId, GroupScene.ErrorOf(_scene.Commit(5, group: name)));
        Assert.Empty(_scene.List());
    }

    [Fact]
    public void A_commit_is_answered_when_it_is_on_disk_and_is_gone_if_it_was_not()
    {
        _scene.Commit(1);
        _scene.Log.SyncsAtOnce = false;
        Answer<OffsetCommitResult> answer = _scene.Commit(2);
        Assert.False(answer.HasCome);
        _scene.Crash();
        Assert.Equal(1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void Nobody_reads_a_commit_that_is_not_on_disk()
    {
        _scene.Commit(1);
        _scene.Log.SyncsAtOnce = false;
        _scene.Commit(2);
        Answer<OffsetFetchResult> fetch = new();
        _scene.Coordinator.FetchOffsets(
            new OffsetFetchRequest { Member = new GroupMemberRef("g", -1, "", null) }, fetch.Take);
        Assert.False(fetch.HasCome);
        _scene.Log.Sync();
        Assert.Equal(2, fetch.Value.Offsets.Single().Committed.Offset);
    }

    [Fact]
    public void A_full_disk_refuses_a_commit_and_keeps_the_one_before()
    {
        _scene.Commit(1);
        _scene.Log.IsFull = true;
        Assert.Equal(CoordinatorError.CoordinatorNotAvailable, _scene.Commit(2).Value.Error);
        Assert.Equal(1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void Members_commit_in_their_generation_only()
    {
        JoinResult joined = _scene.Join().Value;
        Assert.Equal(
            CoordinatorError.RebalanceInProgress, GroupScene.ErrorOf(_scene.Commit(1, joined.MemberId, 1)));
        _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, "a"));
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(1, joined.MemberId, 1)));
        Assert.Equal(CoordinatorError.IllegalGeneration, GroupScene.ErrorOf(_scene.Commit(2, joined.MemberId, 0)));
        Assert.Equal(CoordinatorError.UnknownMemberId, GroupScene.ErrorOf(_scene.Commit(2, "nobody", 1)));
        Assert.Equal(CoordinatorError.UnknownMemberId, GroupScene.ErrorOf(_scene.Commit(2)));
        Assert.Equal(1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void A_commit_is_a_sign_of_life()
    {
        JoinResult joined = _scene.Join().Value;
        _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, "a"));
        for (int i = 0; i < 5; i++)
        {
            _scene.Advance(8_000);
            Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(i, joined.MemberId, 1)));
        }
    }

    [Theory]
    [InlineData(false, CoordinatorError.IllegalGeneration)]
    [InlineData(true, CoordinatorError.GroupIdNotFound)]
    public void A_member_of_a_group_that_is_not_there_is_told_as_its_version_knows(bool knows, CoordinatorError error)
    {
        Assert.Equal(error, GroupScene.ErrorOf(_scene.Commit(1, "m", 1, knowsNotFound: knows)));
        Assert.Empty(_scene.List());
    }

    [Fact]
    public void Metadata_has_a_size()
    {
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(1, metadata: new string('a', 4096))));
        Assert.Equal(
            CoordinatorError.OffsetMetadataTooLarge,
            GroupScene.ErrorOf(_scene.Commit(2, metadata: new string('ä', 2049))));
        Assert.Equal(1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void Offsets_go_a_week_after_the_group_became_empty()
    {
        JoinResult joined = _scene.Join(sessionMs: 1_800_000).Value;
        _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, "a"));
        _scene.Commit(9, joined.MemberId, 1);
        for (int day = 0; day < 8 * 48; day++)
        {
            _scene.Clock.Advance(Day / 48 - 1000);
            _scene.Coordinator.Tick();
            Assert.Equal(CoordinatorError.None, _scene.Heartbeat(joined.MemberId, 1));
        }

        Assert.Equal(9, _scene.Fetch().Committed.Offset);
        _scene.Leave(joined.MemberId);
        AssertGoneInAWeek();
    }

    /// <summary>A member that reads nothing new commits nothing: its group is not to lose its place when it stops for a
    /// moment.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Offsets_of_the_consumer_protocol_go_a_week_after_the_last_member(bool restarts)
    {
        _scene.Topics.Set("t", 1);
        ConsumerClient one = new(_scene, "one");
        one.Beat();
        _scene.Commit(9, one.MemberId, one.Epoch);
        for (long passed = 0; passed < 10 * Day; passed += 30_000)
        {
            _scene.Clock.Advance(30_000);
            _scene.Coordinator.Tick();
            Assert.Equal(CoordinatorError.None, one.Beat());
        }

        one.Leave();
        if (restarts)
        {
            _scene.Crash();
        }

        AssertGoneInAWeek();
    }

    [Fact]
    public void Offsets_of_topics_that_members_no_longer_read_go_a_week_after_each_commit()
    {
        _scene.Topics.Set("t", 1);
        _scene.Topics.Set("old", 1);
        ConsumerClient one = new(_scene, "one");
        one.Beat();
        _scene.Commit(1, one.MemberId, one.Epoch);
        _scene.Commit(2, one.MemberId, one.Epoch, topic: "old");
        for (long passed = 0; passed < 8 * Day; passed += 30_000)
        {
            _scene.Clock.Advance(30_000);
            _scene.Coordinator.Tick();
            one.Beat();
        }

        Assert.Equal(-1, _scene.Fetch(topic: "old").Committed.Offset);
        Assert.Equal(1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void Offsets_from_outside_go_a_week_after_each_commit()
    {
        _scene.Commit(1);
        Pass(4 * Day);
        _scene.Commit(2, partition: 1);
        Pass(4 * Day);
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
        Assert.Equal(2, _scene.Fetch(partition: 1).Committed.Offset);
    }

    [Fact]
    public void A_commit_may_say_how_long_it_is_kept()
    {
        Answer<OffsetCommitResult> answer = new();
        _scene.Coordinator.CommitOffsets(
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef("g", -1, "", null),
                Offsets = [new OffsetToCommit(new TopicPartition("t", 0), 4, -1, null)],
                RetentionMs = 3_600_000,
            },
            answer.Take);
        _scene.Crash();
        Assert.Equal(4, _scene.Fetch().Committed.Offset);
        Pass(3_600_000 + 700_000);
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void Single_offsets_are_deleted_unless_the_group_reads_the_topic()
    {
        _scene.Topics.Set("t", 1);
        ConsumerClient one = new(_scene, "one");
        _scene.Commit(1, topic: "old");
        one.Beat();
        _scene.Commit(2, one.MemberId, one.Epoch);
        Assert.Equal([CoordinatorError.None, CoordinatorError.GroupSubscribedToTopic], Delete("g"));
        Assert.Equal(-1, _scene.Fetch(topic: "old").Committed.Offset);
        Assert.Equal(2, _scene.Fetch().Committed.Offset);
        _scene.Crash();
        Assert.Equal(-1, _scene.Fetch(topic: "old").Committed.Offset);
    }

    [Fact]
    public void Offsets_go_with_their_topic()
    {
        _scene.Commit(1);
        _scene.Commit(2, topic: "other");
        _scene.Coordinator.OnTopicDeleted("t");
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
        Assert.Equal(2, _scene.Fetch(topic: "other").Committed.Offset);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Offsets_of_a_transaction_count_when_it_is_committed(bool commit)
    {
        ProducerStamp producer = new(77, 3);
        _scene.Commit(1);
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(2, producer: producer)));
        Assert.Equal(1, _scene.Fetch().Committed.Offset);
        Assert.Equal(CoordinatorError.UnstableOffsetCommit, _scene.Fetch(stable: true).Error);
        _scene.Crash();
        Assert.Equal(CoordinatorError.UnstableOffsetCommit, _scene.Fetch(stable: true).Error);
        int partition = _scene.Coordinator.PartitionOf("g");
        _scene.Log.Mark(partition, producer, commit);
        _scene.Coordinator.EndTransaction(partition, producer, commit);
        Assert.Equal(commit ? 2 : 1, _scene.Fetch(stable: true).Committed.Offset);
        _scene.Crash();
        Assert.Equal(commit ? 2 : 1, _scene.Fetch(stable: true).Committed.Offset);
    }

    [Fact]
    public void A_commit_that_is_later_than_the_transactions_stays_when_the_transaction_ends_after_it()
    {
        ProducerStamp producer = new(77, 3);
        _scene.Commit(2, producer: producer);
        _scene.Commit(3);
        int partition = _scene.Coordinator.PartitionOf("g");
        _scene.Log.Mark(partition, producer, true);
        _scene.Coordinator.EndTransaction(partition, producer, committed: true);
        Assert.Equal(3, _scene.Fetch().Committed.Offset);
        _scene.Crash();
        Assert.Equal(3, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void The_partition_of_a_group_is_the_one_that_tools_look_in()
    {
        GroupCoordinator coordinator = new GroupScene(null).Coordinator;
        Assert.Equal(103 % 4, coordinator.PartitionOf("g"));
        // "polygenelubricants" hashes to the smallest number, which has no absolute value.
        Assert.Equal(0, coordinator.PartitionOf("polygenelubricants"));
        Assert.Equal(0, coordinator.PartitionOf(""));
    }

    [Fact]
    public void Records_are_written_as_every_tool_reads_them()
    {
        _scene.Commit(258, metadata: "hi");
        Recorder recorder = new();
        _scene.Log.Replay(_scene.Coordinator.PartitionOf("g"), recorder);
        (byte[] key, byte[] value) = recorder.Records.Single();
        Assert.Equal([0, 1, 0, 1, (byte)'g', 0, 1, (byte)'t', 0, 0, 0, 0], key);
        Assert.Equal([0, 3, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3, 0, 2, (byte)'h', (byte)'i'], value[..18]);
        Assert.Equal(_scene.Clock.NowMs, BinaryPrimitives.ReadInt64BigEndian(value.AsSpan(18)));
        Assert.Equal(26, value.Length);
    }

    private static (long Offset, int Epoch, string Metadata) Known(CommittedOffset offset) =>
        (offset.Offset, offset.LeaderEpoch, offset.Metadata);

    // The offset 9, and its group, which is not there after a start either.
    private void AssertGoneInAWeek()
    {
        Pass(6 * Day);
        Assert.Equal(9, _scene.Fetch().Committed.Offset);
        Pass(Day + 700_000);
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
        Assert.Empty(_scene.List());
        _scene.Crash();
        Assert.Empty(_scene.List());
    }

    private void Pass(long milliseconds)
    {
        for (long left = milliseconds; left > 0; left -= 600_000)
        {
            _scene.Clock.Advance(Math.Min(left, 600_000));
            _scene.Coordinator.Tick();
        }
    }

    private IReadOnlyList<CoordinatorError> Delete(string group)
    {
        Answer<OffsetCommitResult> answer = new();
        _scene.Coordinator.DeleteOffsets(
            group, [new TopicPartition("old", 0), new TopicPartition("t", 0)], answer.Take);
        Assert.Equal(CoordinatorError.None, answer.Value.Error);
        return answer.Value.Offsets;
    }

    private sealed class Recorder : ICoordinatorReplay
    {
        public List<(byte[] Key, byte[] Value)> Records { get; } = [];

        public void OnRecord(int partition, ProducerStamp producer, ReadOnlySpan<byte> key, byte[]? value) =>
            Records.Add((key.ToArray(), value!));

        public void OnMarker(int partition, ProducerStamp producer, bool committed)
        {
        }
    }
}
