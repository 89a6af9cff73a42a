using Pillarbox.Broker.Streams.Groups;
using static Pillarbox.Broker.Streams.Groups.ShareAcknowledgement;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>Records that members of a share group have, told as stories.</summary>
public sealed class ShareCoordinatorTests
{
    private readonly ShareScene _scene = new();

    [Fact]
    public void So_many_partitions_are_read_and_no_more()
    {
        ShareScene scene = new(new ShareOptions { PartitionsMax = 3 });
        CoordinatorError[] errors = [.. Enumerable.Range(0, 5).Select(number => Begin(scene, number))];
        Assert.Equal(
            [
                CoordinatorError.None, CoordinatorError.None, CoordinatorError.None, CoordinatorError.PolicyViolation,
                CoordinatorError.PolicyViolation,
            ],
            errors);
        Assert.Equal(CoordinatorError.None, Begin(scene, 1));
        scene.Coordinator.Forget(key => key.Partition.Partition == 2, _ => { });
        Assert.Equal(CoordinatorError.None, Begin(scene, 4));

        static CoordinatorError Begin(ShareScene scene, int number)
        {
            Answer<SharePosition> answer = new();
            SharePartitionKey key = new("g", ShareScene.Key.Partition with { Partition = number });
            scene.Coordinator.Open(key, 0, 0, null, answer.Take);
            return answer.Value.Error;
        }
    }

    [Fact]
    public void Two_members_get_different_records_of_one_partition()
    {
        Assert.Equal(0, _scene.Begin().NextOffset);
        Assert.Equal([new AcquiredRange(0, 4, 1)], _scene.Acquire("a", 0, 9, max: 5));
        Assert.Equal(5, _scene.Begin().NextOffset);
        Assert.Equal([new AcquiredRange(5, 9, 1)], _scene.Acquire("b", 0, 9));
        Assert.Empty(_scene.Acquire("c", 0, 9));
    }

    [Fact]
    public void What_is_done_moves_the_start_and_never_comes_again()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 9);
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 2, 3, Accept));
        Assert.Equal(0, _scene.Begin().StartOffset);
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 1, Accept));
        Assert.Equal(4, _scene.Begin().StartOffset);
        Assert.Equal(CoordinatorError.InvalidRecordState, _scene.Acknowledge("a", 0, 1, Accept));
    }

    [Fact]
    public void A_group_that_is_new_begins_where_it_is_told_and_not_below_the_log()
    {
        Assert.Equal(7, _scene.Begin(beginAt: 7).StartOffset);
        ShareScene other = new();
        Assert.Equal(5, other.Begin(beginAt: 0, logStart: 5).StartOffset);
        Assert.Equal(9, _scene.Begin(beginAt: 0, logStart: 9).StartOffset);
    }

    [Fact]
    public void Released_records_go_to_others_with_a_higher_count()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 2);
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 2, Release, Accept, Release));
        Assert.Equal([new AcquiredRange(0, 0, 2), new AcquiredRange(2, 2, 2)], _scene.Acquire("b", 0, 2));
    }

    [Fact]
    public void A_lock_ends_and_the_record_is_free()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 0);
        _scene.Advance(29_999);
        Assert.Empty(_scene.Acquire("b", 0, 0));
        _scene.Advance(1);
        Assert.Equal([new AcquiredRange(0, 0, 2)], _scene.Acquire("b", 0, 0));
        Assert.Equal(CoordinatorError.InvalidRecordState, _scene.Acknowledge("a", 0, 0, Accept));
    }

    [Fact]
    public void A_lock_that_is_renewed_begins_anew()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 0);
        _scene.Advance(20_000);
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 0, Renew));
        _scene.Advance(20_000);
        Assert.Empty(_scene.Acquire("b", 0, 0));
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 0, Accept));
    }

    [Fact]
    public void A_record_that_is_tried_too_often_is_a_dead_letter()
    {
        _scene.Begin();
        for (short i = 1; i <= 5; i++)
        {
            Assert.Equal([new AcquiredRange(0, 0, i)], _scene.Acquire("a", 0, 0));
            _scene.Acknowledge("a", 0, 0, Release);
        }

        Assert.Empty(_scene.Acquire("a", 0, 0));
        Assert.Equal(1, _scene.Begin().StartOffset);
        Assert.Equal([new ShareDeadLetter(ShareScene.Key, 0, 5, false)], _scene.DeadLetters);
    }

    [Fact]
    public void A_rejected_record_is_a_dead_letter_at_once_a_gap_is_not()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 1);
        _scene.Acknowledge("a", 0, 1, Reject, Gap);
        Assert.Equal([new ShareDeadLetter(ShareScene.Key, 0, 1, true)], _scene.DeadLetters);
        Assert.Equal(2, _scene.Begin().StartOffset);
    }

    [Fact]
    public void An_acknowledgement_is_whole_or_not_at_all()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 1);
        _scene.Acquire("b", 2, 3);
        Assert.Equal(CoordinatorError.InvalidRecordState, _scene.Acknowledge("a", 0, 3, Accept));
        Assert.Equal(CoordinatorError.InvalidRecordState, _scene.Acknowledge("a", 0, 99, Accept));
        Assert.Equal(CoordinatorError.InvalidRequest, _scene.Acknowledge("a", 0, 1, Accept, Accept, Accept));
        Assert.Equal(CoordinatorError.InvalidRequest, _scene.Acknowledge("a", 1, 0, Accept));
        Assert.Equal(CoordinatorError.InvalidRequest, _scene.Acknowledge("a", 0, 0, (ShareAcknowledgement)9));
        Assert.Equal(0, _scene.Begin().StartOffset);
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 1, Accept));
    }

    [Fact]
    public void Who_goes_leaves_its_records_to_others()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 4);
        _scene.Coordinator.Release("g", "a");
        Assert.Equal([new AcquiredRange(0, 4, 2)], _scene.Acquire("b", 0, 4));
    }

    [Fact]
    public void Only_so_many_records_are_under_way()
    {
        ShareScene scene = new(new ShareOptions { InFlightMax = 10 });
        scene.Begin();
        Assert.Equal([new AcquiredRange(0, 9, 1)], scene.Acquire("a", 0, 50));
        scene.Acknowledge("a", 1, 9, Accept);
        Assert.Empty(scene.Acquire("a", 0, 50));
        scene.Acknowledge("a", 0, 0, Accept);
        Assert.Equal([new AcquiredRange(10, 19, 1)], scene.Acquire("a", 10, 50));
    }

    [Fact]
    public void Offsets_that_the_log_does_not_have_are_skipped()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 1);
        Assert.Equal([new AcquiredRange(100, 101, 1)], _scene.Acquire("a", 100, 101));
        _scene.Acknowledge("a", 0, 1, Accept);
        Assert.Equal(100, _scene.Begin().StartOffset);
        _scene.Acknowledge("a", 100, 101, Accept);
        Assert.Equal([new AcquiredRange(900_000, 900_000, 1)], _scene.Acquire("a", 900_000, 900_000));
    }

    [Fact]
    public void An_acknowledgement_is_answered_when_it_is_on_disk_and_outlives_a_crash()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 5);
        _scene.Log.SyncsAtOnce = false;
        Answer<PlainResult> answer = _scene.AcknowledgeLater("a", 0, 1, Accept);
        Answer<PlainResult> second = _scene.AcknowledgeLater("a", 3, 3, Accept);
        Assert.False(answer.HasCome);
        Assert.Equal(1, _scene.Log.Unsynced);
        _scene.Log.Sync();
        Assert.True(answer.HasCome);
        _scene.Log.Sync();
        Assert.True(second.HasCome);
        _scene.Crash();
        Assert.Equal((2, 2), (_scene.Begin().StartOffset, _scene.Begin().NextOffset));
        Assert.Equal([new AcquiredRange(2, 2, 1), new AcquiredRange(4, 5, 1)], _scene.Acquire("b", 0, 5));
    }

    [Fact]
    public void A_full_disk_refuses_the_answer_and_the_state_is_written_later()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 0);
        _scene.Log.IsFull = true;
        Assert.Equal(CoordinatorError.CoordinatorNotAvailable, _scene.Acknowledge("a", 0, 0, Accept));
        _scene.Log.IsFull = false;
        _scene.Advance(600);
        _scene.Crash();
        Assert.Equal(1, _scene.Begin().StartOffset);
    }

    [Fact]
    public void A_group_is_set_to_an_offset_and_forgotten()
    {
        _scene.Begin();
        Answer<PlainResult> reset = new();
        _scene.Coordinator.Reset(ShareScene.Key, 40, reset.Take);
        Assert.Equal(CoordinatorError.None, reset.Value.Error);
        _scene.Crash();
        Assert.Equal(40, _scene.Begin().StartOffset);
        Answer<PlainResult> forgotten = new();
        _scene.Coordinator.Forget(k => k.GroupId == "g", forgotten.Take);
        Assert.Equal(CoordinatorError.None, forgotten.Value.Error);
        _scene.Crash();
        Assert.Equal(3, _scene.Begin(beginAt: 3).StartOffset);
    }

    [Fact]
    public void A_group_s_own_locks_last_as_long_as_it_says_also_when_that_changes()
    {
        _scene.Configure(("share.record.lock.duration.ms", "2000"));
        _scene.Begin();
        _scene.Acquire("a", 0, 0);
        _scene.Advance(1_900);
        Assert.Empty(_scene.Acquire("b", 0, 0));
        _scene.Advance(200);
        Assert.Equal([new AcquiredRange(0, 0, 2)], _scene.Acquire("b", 0, 0));
        Answer<ShareLimits> limits = new();
        _scene.Coordinator.LimitsOf("g", limits.Take);
        Assert.Equal(2_000, limits.Value.LockMs);
        _scene.Configure();
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("b", 0, 0, Renew));
        _scene.Advance(29_000);
        Assert.Empty(_scene.Acquire("c", 0, 0));
        _scene.Advance(1_200);
        Assert.Equal([new AcquiredRange(0, 0, 3)], _scene.Acquire("c", 0, 0));
    }

    [Fact]
    public void A_group_says_how_often_a_record_is_given_out_how_many_are_under_way_and_whether_locks_are_renewed()
    {
        _scene.Configure(
            ("share.delivery.count.limit", "2"), ("share.partition.max.record.locks", "100"),
            ("share.renew.acknowledge.enable", "false"));
        _scene.Begin();
        Assert.Equal([new AcquiredRange(0, 99, 1)], _scene.Acquire("a", 0, 200));
        Assert.Equal(CoordinatorError.InvalidRecordState, _scene.Acknowledge("a", 0, 0, Renew));
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 0, Release));
        Assert.Equal([new AcquiredRange(0, 0, 2)], _scene.Acquire("a", 0, 0));
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 0, Release));
        Assert.Equal([0L], _scene.DeadLetters.Select(letter => letter.Offset));
        Assert.Equal([new AcquiredRange(100, 100, 1)], _scene.Acquire("a", 0, 200));
    }

    [Fact]
    public void A_group_that_begins_at_a_time_asks_where_that_is()
    {
        _scene.Configure(("share.auto.offset.reset", "by_duration:PT1M"));
        SharePosition position = _scene.Begin(beginAt: 50, logStart: 3);
        Assert.Equal((-1L, _scene.Clock.NowMs - 60_000), (position.StartOffset, position.BeginAtMs));
        position = _scene.Begin(beginAt: 50, logStart: 3, byTime: 7);
        Assert.Equal((7L, null), (position.StartOffset, position.BeginAtMs));
        Assert.Equal(7, _scene.Begin(beginAt: 50).StartOffset);
        _scene.Crash();
        Assert.Equal(7, _scene.Begin(beginAt: 50).StartOffset);
    }

    [Fact]
    public void What_was_aborted_is_given_to_nobody()
    {
        _scene.Configure(("share.isolation.level", "read_committed"));
        Assert.Equal(Broker.Streams.Isolation.Committed, _scene.Begin().Isolation);
        IReadOnlyList<AcquiredRange> got = _scene.Acquire("a", 0, 9, 4, (0, 1), (4, 6), (8, 8));
        Assert.Equal([new AcquiredRange(2, 3, 1), new AcquiredRange(7, 7, 1), new AcquiredRange(9, 9, 1)], got);
        Assert.Equal((2, 10), (_scene.Begin().StartOffset, _scene.Begin().NextOffset));
        Assert.Equal(CoordinatorError.InvalidRecordState, _scene.Acknowledge("a", 4, 4, Accept));
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 2, 3, Accept));
        Assert.Equal(7, _scene.Begin().StartOffset);
    }

    [Fact]
    public void More_than_may_be_under_way_may_have_been_aborted()
    {
        _scene.Begin();
        Assert.Empty(_scene.Acquire("a", 0, 999_999, int.MaxValue, (0, 999_999)));
        Assert.Equal((1_000_000, 0), (_scene.Begin().StartOffset, _scene.Begin().InFlight));

        // Something before it is under way: as much as there is room for.
        _scene.Acquire("a", 1_000_000, 1_000_000);
        Assert.Empty(_scene.Acquire("b", 1_000_001, 1_009_999, int.MaxValue, (1_000_001, 1_009_998)));
        Assert.Equal((1_000_000, 2_000), (_scene.Begin().StartOffset, _scene.Begin().InFlight));
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 1_000_000, 1_000_000, Accept));
        Assert.Equal(1_002_000, _scene.Begin().StartOffset);
        Assert.Equal(
            [new AcquiredRange(1_009_999, 1_009_999, 1)],
            _scene.Acquire("b", 1_002_000, 1_009_999, int.MaxValue, (1_002_000, 1_009_998)));
    }

    [Fact]
    public void What_was_given_back_before_and_is_aborted_goes_with_all_that_is_done_behind_it()
    {
        _scene.Begin();
        _scene.Acquire("a", 0, 5);
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 2, 4, Accept));
        Assert.Equal(CoordinatorError.None, _scene.Acknowledge("a", 0, 1, Release));
        Assert.Empty(_scene.Acquire("b", 0, 5, int.MaxValue, (0, 1)));
        Assert.Equal(5, _scene.Begin().StartOffset);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_record_is_with_two_members_lost_or_done_twice_whatever_happens(int run)
    {
        Model.SeededRandom random = Seeds.New(out string seed);
        for (int i = 0; i < run; i++)
        {
            random.NextUInt64();
        }

        new ShareLife(new Model.SeededRandom(random.NextUInt64()), $"{seed} run {run}").Run();
    }
}
