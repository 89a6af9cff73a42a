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
