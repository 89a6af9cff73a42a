using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Broker.Tests.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Coordinators;

/// <summary>Coordinators over the broker's own streams.</summary>
public sealed class StreamCoordinatorsTests : IDisposable
{
    private static readonly TopicPartition Readings = new("readings", 0);
    private readonly StreamScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void A_commit_is_answered_when_it_is_on_disk_and_outlives_a_restart()
    {
        _scene.Create("readings");
        Answer<OffsetCommitResult> committed = Commit(42);
        Assert.False(committed.HasCome);
        _scene.Broker.Pump();
        _scene.Broker.Pump();
        Assert.Equal([CoordinatorError.None], committed.Value.Offsets);
        _scene.Restart();
        Assert.Equal(42, Fetch());
        Assert.Equal(50, _scene.Catalog.Find(StreamCoordinators.OffsetsStream)!.Partitions.Count);
    }

    [Fact]
    public void Offsets_go_with_their_stream_also_when_another_one_takes_its_name()
    {
        RecordStream stream = _scene.Create("readings");
        Pump();
        Commit(42);
        Pump();
        Assert.Equal(42, Fetch());
        _scene.Catalog.Delete(_scene.GrantFor("readings"), stream);
        _scene.Create("readings");
        Pump();
        Assert.Equal(-1, Fetch());
        _scene.Restart();
        Assert.Equal(-1, Fetch());
    }

    [Fact]
    public void A_transaction_over_records_and_offsets_is_committed_in_both()
    {
        Partition partition = _scene.CreateOne("readings");
        ProducerStamp producer = Begin();
        Append(partition, producer);
        Commit(7, producer);
        Pump();
        Assert.Equal(-1, Fetch());

        Answer<ProducerResult> ended = new();
        TransactionRef who = new("x", producer, 2);
        _scene.Broker.Coordinators.Transactions.EndTransaction(who, commit: true, ended.Take);
        Pump();
        Assert.Equal(CoordinatorError.None, ended.Value.Error);
        Assert.Equal(7, Fetch());
        Assert.Equal(2, partition.EndOffset);
        _scene.Restart();
        Assert.Equal(7, Fetch());
    }

    [Fact]
    public void What_was_decided_before_a_stop_is_carried_out_although_nobody_asks()
    {
        Partition partition = _scene.CreateOne("readings");
        ProducerStamp producer = Begin();
        Append(partition, producer);
        Pump();
        Answer<ProducerResult> ended = new();
        _scene.Broker.Coordinators.Transactions.EndTransaction(new TransactionRef("x", producer, 2), true, ended.Take);
        _scene.Restart();
        Pump();
        Assert.Equal(2, _scene.Find("readings").EndOffset);
    }

    [Fact]
    public void Offsets_of_a_fenced_producer_are_refused_and_leave_nothing_open()
    {
        _scene.CreateOne("readings");
        ProducerStamp producer = Begin();
        EndAndPump(producer, commit: true);
        Assert.Equal(CoordinatorError.ProducerFenced, CommitIn(producer, 2).Value.Error);
        Answer<OffsetCommitResult> direct = Commit(9, producer);
        Pump();
        Assert.Equal(CoordinatorError.InvalidProducerEpoch, direct.Value.Error);
        Assert.Equal(-1, Fetch());
        int number = _scene.Broker.Coordinators.Groups.PartitionOf("g");
        Partition offsets = _scene.Find(StreamCoordinators.OffsetsStream, number);
        Assert.Equal(offsets.HighWatermark, offsets.LastStableOffset);
    }

    [Fact]
    public void Offsets_enter_the_transaction_by_themselves_with_version_2_and_not_with_version_1()
    {
        Answer<ProducerResult> init = new();
        _scene.Broker.Coordinators.Transactions.InitProducer(
            new InitProducerRequest("x", 60_000, ProducerStamp.None), init.Take);
        Pump();
        ProducerStamp producer = init.Value.Producer;
        Answer<OffsetCommitResult> old = CommitIn(producer, 1);
        Assert.Equal(CoordinatorError.TransactionAbortable, old.Value.Error);
        Answer<OffsetCommitResult> modern = CommitIn(producer, 2);
        Pump();
        Assert.Equal([CoordinatorError.None], modern.Value.Offsets);
        Assert.Equal(-1, Fetch());
        EndAndPump(producer, commit: true);
        Assert.Equal(5, Fetch());
    }

    [Fact]
    public void A_share_group_keeps_its_place_in_a_stream_of_its_own()
    {
        RecordStream stream = _scene.Create("readings");
        SharePartitionKey key = new("s", new TopicIdPartition(stream.Id, 0));
        ShareCoordinator shares = _scene.Broker.Coordinators.Shares;
        Answer<SharePosition> opened = new();
        shares.Open(key, 0, 3, null, opened.Take);
        Pump();
        Assert.Equal(3, opened.Value.StartOffset);
        _scene.Restart();
        Answer<SharePosition> found = new();
        _scene.Broker.Coordinators.Shares.Describe(key, found.Take);
        Assert.Equal(3, found.Value.StartOffset);
    }

    private void EndAndPump(ProducerStamp producer, bool commit)
    {
        Answer<ProducerResult> ended = new();
        _scene.Broker.Coordinators.Transactions.EndTransaction(
            new TransactionRef("x", producer, 2), commit, ended.Take);
        Pump();
        Assert.Equal(CoordinatorError.None, ended.Value.Error);
    }

    private Answer<OffsetCommitResult> CommitIn(ProducerStamp producer, short version)
    {
        Answer<OffsetCommitResult> answer = new();
        _scene.Broker.Coordinators.CommitOffsets(
            new TransactionRef("x", producer, version),
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef("g", -1, "", null),
                Offsets = [new OffsetToCommit(Readings, 5, -1, null)],
            },
            answer.Take);
        return answer;
    }

    private void Pump()
    {
        for (int i = 0; i < 6; i++)
        {
            _scene.Broker.Pump();
        }
    }

    private ProducerStamp Begin()
    {
        TransactionCoordinator transactions = _scene.Broker.Coordinators.Transactions;
        Answer<ProducerResult> init = new();
        transactions.InitProducer(new InitProducerRequest("x", 60_000, ProducerStamp.None), init.Take);
        Pump();
        TransactionRef who = new("x", init.Value.Producer, 2);
        Answer<PartitionsResult> added = new();
        transactions.AddPartitions(who, [Readings], added.Take);
        Pump();
        Assert.Equal(CoordinatorError.None, added.Value.Error);
        Answer<PlainResult> offsets = new();
        transactions.AddOffsets(who, "g", offsets.Take);
        Pump();
        Assert.Equal(CoordinatorError.None, offsets.Value.Error);
        return init.Value.Producer;
    }

    private void Append(Partition partition, ProducerStamp producer)
    {
        ReadOnlyMemory<byte> batch = _scene.Batch(
            new Model.Records.RecordBatchOptions
            {
                ProducerId = producer.Id,
                ProducerEpoch = producer.Epoch,
                BaseSequence = 0,
                IsTransactional = true,
            },
            "a");
        Assert.Equal(StreamError.None, partition.Append(batch.Span, new AppendOptions()).Error);
    }

    private Answer<OffsetCommitResult> Commit(long offset, ProducerStamp? producer = null)
    {
        Answer<OffsetCommitResult> answer = new();
        _scene.Broker.Coordinators.Groups.CommitOffsets(
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef("g", -1, "", null),
                Offsets = [new OffsetToCommit(Readings, offset, -1, null)],
                Producer = producer ?? ProducerStamp.None,
            },
            answer.Take);
        return answer;
    }

    private long Fetch()
    {
        Answer<OffsetFetchResult> answer = new();
        _scene.Broker.Coordinators.Groups.FetchOffsets(
            new OffsetFetchRequest { Member = new GroupMemberRef("g", -1, "", null), Partitions = [Readings] },
            answer.Take);
        return answer.Value.Offsets[0].Committed.Offset;
    }
}
