using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Broker.Tests.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Transactions;

/// <summary>Transactions of both versions, told as stories.</summary>
public sealed class TransactionCoordinatorTests
{
    private readonly TransactionScene _scene = new();

    [Fact]
    public void Producers_without_a_name_get_ids_of_their_own()
    {
        ProducerStamp one = _scene.Init(null);
        ProducerStamp two = _scene.Init(null);
        Assert.Equal(0, one.Epoch);
        Assert.NotEqual(one.Id, two.Id);
    }

    [Fact]
    public void No_producer_id_is_given_twice_across_crashes()
    {
        HashSet<long> given = [];
        for (int i = 0; i < 2500; i++)
        {
            Assert.True(given.Add(_scene.Init(null).Id));
            if (i % 400 == 399)
            {
                _scene.Crash();
            }
        }
    }

    [Fact]
    public void A_producer_id_waits_for_its_reservation_on_disk()
    {
        _scene.Log.SyncsAtOnce = false;
        Answer<ProducerResult> answer = new();
        _scene.Coordinator.InitProducer(new InitProducerRequest(null, 0, ProducerStamp.None), answer.Take);
        Assert.False(answer.HasCome);
        _scene.Log.Sync();
        Assert.Equal(CoordinatorError.None, answer.Value.Error);
    }

    [Fact]
    public void A_named_producer_that_comes_again_keeps_its_id_and_gets_the_next_epoch()
    {
        ProducerStamp first = _scene.Init();
        ProducerStamp second = _scene.Init();
        Assert.Equal(first.Id, second.Id);
        Assert.Equal(first.Epoch + 1, second.Epoch);
        _scene.Crash();
        Assert.Equal(second.Epoch + 1, _scene.Init().Epoch);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(900_001)]
    public void A_time_out_out_of_range_is_refused(int timeoutMs) =>
        Assert.Equal(CoordinatorError.InvalidTransactionTimeout, _scene.InitLater("x", null, timeoutMs).Value.Error);

    [Fact]
    public void A_producer_may_bump_its_own_epoch_and_repeat_the_request()
    {
        ProducerStamp first = _scene.Init();
        ProducerStamp bumped = _scene.Init("x", first);
        Assert.Equal(first with { Epoch = (short)(first.Epoch + 1) }, bumped);
        Assert.Equal(bumped, _scene.Init("x", first));
    }

    [Fact]
    public void A_producer_with_an_old_epoch_is_fenced_when_it_comes_back()
    {
        ProducerStamp old = _scene.Init();
        ProducerStamp now = _scene.Init();
        Assert.Equal(CoordinatorError.ProducerFenced, _scene.InitLater("x", old).Value.Error);
        Assert.Equal(CoordinatorError.ProducerFenced, _scene.Add(old, 2, 0));
        Assert.Equal(CoordinatorError.None, _scene.Add(now, 2, 0));
        Assert.Equal(CoordinatorError.ProducerFenced, _scene.End(old, true).Error);
        Assert.Equal(
            CoordinatorError.InvalidProducerIdMapping, _scene.End(new ProducerStamp(now.Id + 99, 0), true).Error);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public void Records_of_a_transaction_are_seen_everywhere_or_nowhere(int version, bool commit)
    {
        ProducerStamp producer = _scene.Init();
        Assert.Equal(CoordinatorError.None, _scene.Add(producer, version, 0, 1));
        _scene.Append(producer, 0, "a");
        _scene.Append(producer, 1, "b");
        Assert.Null(_scene.Read(0));

        ProducerResult ended = _scene.End(producer, commit, version);
        Assert.Equal(CoordinatorError.None, ended.Error);
        Assert.Equal(producer.Epoch + (version == 2 ? 1 : 0), ended.Producer.Epoch);
        Assert.Equal(commit ? ["a"] : [], _scene.Read(0));
        Assert.Equal(commit ? ["b"] : [], _scene.Read(1));
        Assert.Equal(
            commit ? TransactionState.CompleteCommit : TransactionState.CompleteAbort, _scene.Describe().State);
    }

    [Fact]
    public void Version_1_end_may_be_repeated_but_not_changed()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 1, 0);
        _scene.Append(producer, 0, "a");
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true, 1).Error);
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true, 1).Error);
        Assert.Equal(CoordinatorError.InvalidTxnState, _scene.End(producer, false, 1).Error);
        Assert.Equal(["a"], _scene.Read(0));
    }

    [Fact]
    public void Version_2_end_that_is_repeated_gets_the_same_answer_also_after_a_crash()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 2, 0);
        ProducerStamp next = _scene.End(producer, true).Producer;
        Assert.Equal(next, _scene.End(producer, true).Producer);
        _scene.Crash();
        Assert.Equal(next, _scene.End(producer, true).Producer);
        Assert.Equal(CoordinatorError.InvalidTxnState, _scene.End(producer, false).Error);
    }

    [Fact]
    public void A_late_end_of_version_2_does_not_touch_the_next_transaction()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 2, 0);
        _scene.Append(producer, 0, "a");
        ProducerStamp next = _scene.End(producer, true).Producer;
        _scene.Add(next, 2, 0);
        _scene.Append(next, 0, "b");
        Assert.Equal(CoordinatorError.ProducerFenced, _scene.End(producer, false).Error);
        Assert.Equal(CoordinatorError.None, _scene.End(next, true).Error);
        Assert.Equal(["a", "b"], _scene.Read(0));
    }

    [Fact]
    public void Ending_nothing_is_refused_except_an_abort_of_version_2()
    {
        ProducerStamp producer = _scene.Init();
        Assert.Equal(CoordinatorError.InvalidTxnState, _scene.End(producer, true, 1).Error);
        Assert.Equal(CoordinatorError.InvalidTxnState, _scene.End(producer, false, 1).Error);
        Assert.Equal(CoordinatorError.InvalidTxnState, _scene.End(producer, true).Error);
        ProducerResult aborted = _scene.End(producer, false);
        Assert.Equal(CoordinatorError.None, aborted.Error);
        Assert.Equal(producer.Epoch + 1, aborted.Producer.Epoch);
    }

    [Fact]
    public void An_open_transaction_is_aborted_when_its_producer_comes_again()
    {
        ProducerStamp old = _scene.Init();
        _scene.Add(old, 1, 0);
        _scene.Append(old, 0, "a");
        Assert.Equal(CoordinatorError.ConcurrentTransactions, _scene.InitLater().Value.Error);
        ProducerStamp now = _scene.Init();
        Assert.Equal(old.Id, now.Id);
        Assert.Equal([], _scene.Read(0));
        Assert.False(_scene.Append(old, 0, "late"));
        Assert.Equal(CoordinatorError.ProducerFenced, _scene.End(old, true, 1).Error);
    }

    [Fact]
    public void While_markers_are_under_way_the_producer_has_to_wait()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 1, 0, 1);
        _scene.Partitions.HoldsMarkers = true;
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true, 1).Error);
        Assert.Equal(TransactionState.PrepareCommit, _scene.Describe().State);
        Assert.Equal(CoordinatorError.ConcurrentTransactions, _scene.End(producer, true, 1).Error);
        Assert.Equal(CoordinatorError.ConcurrentTransactions, _scene.InitLater().Value.Error);
        Assert.Equal(CoordinatorError.InvalidTxnState, _scene.End(producer, false, 1).Error);
        _scene.Partitions.ReleaseOne(0);
        Assert.Equal(TransactionState.PrepareCommit, _scene.Describe().State);
        _scene.Partitions.ReleaseOne(0);
        Assert.Equal(TransactionState.CompleteCommit, _scene.Describe().State);
    }

    /// <summary>Seen with librdkafka: the abort met the end of the transaction before, and was refused.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_next_transaction_waits_for_the_markers_of_the_last_one(bool commits)
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 1, 0);
        _scene.Append(producer, 0, "a");
        _scene.Partitions.HoldsMarkers = true;
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true, 1).Error);
        Answer<PartitionsResult> added = _scene.AddLater(producer, 1, "x", 1);
        Answer<ProducerResult> ended = _scene.EndLater(producer, commits, 1);
        Assert.False(added.HasCome || ended.HasCome);
        _scene.Partitions.HoldsMarkers = false;
        _scene.Partitions.ReleaseOne(0);
        Assert.Equal(CoordinatorError.None, TransactionScene.ErrorOf(added.Value));
        Assert.Equal(CoordinatorError.None, ended.Value.Error);
        Assert.Equal(
            commits ? TransactionState.CompleteCommit : TransactionState.CompleteAbort, _scene.Describe().State);
        Assert.Equal(["a"], _scene.Read(0));
    }

    /// <summary>A second marker of the same end would commit what the next transaction has written by then.</summary>
    [Fact]
    public void A_marker_that_is_under_way_is_not_written_again_when_another_one_is_refused()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 1, 0, 1);
        _scene.Append(producer, 0, "a");
        _scene.Append(producer, 1, "a");
        _scene.Partitions.HoldsMarkers = true;
        _scene.End(producer, true, 1);
        _scene.Partitions.Refusals = 1;
        _scene.Partitions.ReleaseOne(0);
        _scene.Advance(1000);
        Assert.Equal(2, _scene.Partitions.Held);
    }

    [Fact]
    public void Who_waits_too_long_for_markers_is_told_to_come_again()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 1, 0);
        _scene.Partitions.HoldsMarkers = true;
        _scene.End(producer, true, 1);
        Answer<PartitionsResult> added = _scene.AddLater(producer, 1, "x", 1);
        _scene.Advance(900);
        Assert.False(added.HasCome);
        _scene.Advance(200);
        Assert.Equal(CoordinatorError.ConcurrentTransactions, TransactionScene.ErrorOf(added.Value));
        _scene.Partitions.ReleaseOne(0);
        Assert.Equal(CoordinatorError.None, _scene.Add(producer, 1, 1));
    }

    [Fact]
    public void Only_some_requests_of_an_id_wait_at_once()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 1, 0);
        _scene.Partitions.HoldsMarkers = true;
        _scene.End(producer, true, 1);
        Answer<PartitionsResult>[] all = [.. Enumerable.Range(0, 17).Select(_ => _scene.AddLater(producer, 1, "x", 1))];
        Assert.Equal(CoordinatorError.ConcurrentTransactions, TransactionScene.ErrorOf(all[16].Value));
        Assert.DoesNotContain(all[..16], answer => answer.HasCome);
        _scene.Partitions.ReleaseOne(0);
        Assert.All(all[..16], answer => Assert.Equal(CoordinatorError.None, TransactionScene.ErrorOf(answer.Value)));
    }

    [Fact]
    public void A_decision_that_is_on_disk_is_carried_out_after_a_crash()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 2, 0, 1);
        _scene.Append(producer, 0, "a");
        _scene.Append(producer, 1, "b");
        _scene.Partitions.HoldsMarkers = true;
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true).Error);
        _scene.Partitions.ReleaseOne(1);
        _scene.Partitions.HoldsMarkers = false;
        _scene.Crash();
        Assert.Equal(["a"], _scene.Read(0));
        Assert.Equal(["b"], _scene.Read(1));
        Assert.Equal(TransactionState.CompleteCommit, _scene.Describe().State);
    }

    [Fact]
    public void A_decision_that_is_not_on_disk_has_no_answer_and_no_marker()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 2, 0);
        _scene.Append(producer, 0, "a");
        _scene.Log.SyncsAtOnce = false;
        Answer<ProducerResult> answer = _scene.EndLater(producer, true);
        Assert.False(answer.HasCome);
        Assert.Null(_scene.Read(0));
        _scene.Crash();
        Assert.Equal(TransactionState.Ongoing, _scene.Describe().State);
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true).Error);
        Assert.Equal(["a"], _scene.Read(0));
    }

    [Fact]
    public void A_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced()
    {
        ProducerStamp producer = _scene.Init("x", null, 5_000);
        _scene.Add(producer, 1, 0);
        _scene.Append(producer, 0, "a");
        _scene.Advance(4_900);
        Assert.Equal(TransactionState.Ongoing, _scene.Describe().State);
        _scene.Advance(200);
        Assert.Equal(TransactionState.CompleteAbort, _scene.Describe().State);
        Assert.Equal([], _scene.Read(0));
        Assert.Equal(CoordinatorError.ProducerFenced, _scene.End(producer, true, 1).Error);
        Assert.False(_scene.Append(producer, 0, "late"));
    }

    [Fact]
    public void More_partitions_do_not_give_a_transaction_more_time()
    {
        ProducerStamp producer = _scene.Init("x", null, 5_000);
        _scene.Add(producer, 1, 0);
        _scene.Advance(3_000);
        Assert.Equal(CoordinatorError.None, _scene.Add(producer, 1, 1));
        _scene.Advance(2_200);
        Assert.Equal(TransactionState.CompleteAbort, _scene.Describe().State);
    }

    [Fact]
    public void The_time_out_goes_on_after_a_crash()
    {
        ProducerStamp producer = _scene.Init("x", null, 5_000);
        _scene.Add(producer, 2, 0);
        _scene.Advance(3_000);
        _scene.Crash();
        _scene.Advance(2_200);
        Assert.Equal(TransactionState.CompleteAbort, _scene.Describe().State);
    }

    [Fact]
    public void A_version_2_producer_goes_on_with_the_next_epoch_after_its_transaction_timed_out()
    {
        ProducerStamp producer = _scene.Init("x", null, 5_000);
        _scene.Add(producer, 2, 0);
        _scene.Advance(5_200);
        Assert.Equal(CoordinatorError.InvalidTxnState, _scene.End(producer, true).Error);
        ProducerResult aborted = _scene.End(producer, false);
        Assert.Equal(CoordinatorError.None, aborted.Error);
        Assert.Equal(CoordinatorError.None, _scene.Add(aborted.Producer, 2, 0));
    }

    [Fact]
    public void Only_partitions_of_the_open_transaction_verify()
    {
        ProducerStamp producer = _scene.Init();
        Assert.Equal(CoordinatorError.TransactionAbortable, _scene.Verify(producer, 0));
        _scene.Add(producer, 1, 0);
        Assert.Equal(CoordinatorError.None, _scene.Verify(producer, 0));
        Assert.Equal(CoordinatorError.TransactionAbortable, _scene.Verify(producer, 1));
        Assert.Equal(
            CoordinatorError.ProducerFenced, _scene.Verify(producer with { Epoch = 7 }, 0));
        _scene.End(producer, true, 1);
        Assert.Equal(CoordinatorError.TransactionAbortable, _scene.Verify(producer, 0));
    }

    [Fact]
    public void An_unknown_partition_adds_nothing()
    {
        ProducerStamp producer = _scene.Init();
        PartitionsResult result = _scene.AddLater(producer, 1, "x", 0, 9).Value;
        Assert.Equal([CoordinatorError.None, CoordinatorError.UnknownTopicOrPartition], result.Partitions);
        Assert.Equal(TransactionState.Empty, _scene.Describe().State);
    }

    [Fact]
    public void Epochs_that_run_out_are_followed_by_a_new_producer_id()
    {
        ProducerStamp producer = _scene.Init();
        long firstId = producer.Id;
        for (int i = 0; i < 33_000 && producer.Id == firstId; i++)
        {
            ProducerStamp before = producer;
            producer = _scene.End(producer, false).Producer;
            Assert.Equal(producer, _scene.End(before, false).Producer);
        }

        Assert.NotEqual(firstId, producer.Id);
        Assert.Equal(0, producer.Epoch);
        Assert.Equal(CoordinatorError.None, _scene.Add(producer, 2, 0));
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true).Error);
    }

    [Fact]
    public void A_refused_marker_is_tried_again_and_a_partition_that_is_gone_is_left_out()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Add(producer, 2, 0, 1);
        _scene.Append(producer, 0, "a");
        _scene.Partitions.Remove(new TopicPartition("t", 1));
        _scene.Partitions.Refusals = 3;
        Assert.Equal(CoordinatorError.None, _scene.End(producer, true).Error);
        Assert.Equal(TransactionState.PrepareCommit, _scene.Describe().State);
        _scene.Advance(1_000);
        Assert.Equal(TransactionState.CompleteCommit, _scene.Describe().State);
        Assert.Equal(["a"], _scene.Read(0));
    }

    [Fact]
    public void A_full_disk_refuses_changes_nothing_and_goes_on_when_there_is_room()
    {
        ProducerStamp producer = _scene.Init();
        _scene.Log.IsFull = true;
        Assert.Equal(CoordinatorError.CoordinatorNotAvailable, _scene.Add(producer, 2, 0));
        Assert.Equal(CoordinatorError.CoordinatorNotAvailable, _scene.InitLater("new").Value.Error);
        Assert.Equal(CoordinatorError.TransactionalIdNotFound, _scene.Describe("new").Error);
        _scene.Log.IsFull = false;
        _scene.Add(producer, 2, 0);
        _scene.Partitions.HoldsMarkers = true;
        _scene.End(producer, true);
        _scene.Log.IsFull = true;
        _scene.Partitions.ReleaseOne(0);
        Assert.Equal(TransactionState.PrepareCommit, _scene.Describe().State);
        _scene.Log.IsFull = false;
        _scene.Advance(500);
        Assert.Equal(TransactionState.CompleteCommit, _scene.Describe().State);
    }

    [Fact]
    public void An_unused_transactional_id_is_forgotten_after_a_week()
    {
        _scene.Init();
        _scene.Clock.Advance(7L * 24 * 3600 * 1000 - 1000);
        _scene.Coordinator.Tick();
        Assert.Equal(CoordinatorError.None, _scene.Describe().Error);
        _scene.Clock.Advance(3_601_000);
        _scene.Coordinator.Tick();
        Assert.Equal(CoordinatorError.TransactionalIdNotFound, _scene.Describe().Error);
        _scene.Crash();
        Assert.Equal(CoordinatorError.TransactionalIdNotFound, _scene.Describe().Error);
    }
}
