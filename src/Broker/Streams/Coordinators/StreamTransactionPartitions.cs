using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>Writes the ends of transactions into partitions, and tells the groups of those in their offsets. One
/// owner: the coordinators' loop.</summary>
internal sealed class StreamTransactionPartitions(
    StreamCatalog catalog, RecordStream offsets, GroupCoordinator groups, TimeProvider time) : ITransactionPartitions
{
    private readonly RecordBatchBuilder _builder = new();

    public bool Exists(TopicPartition partition) => Find(partition) is not null;

    public TopicPartition OffsetsOf(string groupId) => new(offsets.Name, groups.PartitionOf(groupId));

    public void WriteMarker(TopicPartition partition, TransactionEnd end, Action<MarkerOutcome> done)
    {
        if (Find(partition) is not { } target)
        {
            done(MarkerOutcome.Gone);
            return;
        }

        EndTransactionMarker marker = new(end.Committed, CoordinatorEpoch: 0);
        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        ReadOnlyMemory<byte> batch = marker.Build(_builder, end.Producer.Id, end.Producer.Epoch, nowMs);
        AppendOptions options = new() { Origin = AppendOrigin.Coordinator, IsTransactionV2 = end.Version >= 2 };
        AppendResult result = target.Append(batch.Span, options);
        switch (result.Error)
        {
            case StreamError.None:
                target.WhenDurable(result.DurableAt, new DurableCallback(ok => OnMarker(target, end, ok, done)));
                break;
            case StreamError.UnknownStream or StreamError.UnknownPartition or StreamError.InvalidProducerEpoch
                or StreamError.CoordinatorFenced:
                done(MarkerOutcome.Gone);
                break;
            default:
                done(MarkerOutcome.Retry);
                break;
        }
    }

    private void OnMarker(Partition target, TransactionEnd end, bool ok, Action<MarkerOutcome> done)
    {
        if (ok && target.Stream == offsets)
        {
            groups.EndTransaction(target.Number, end.Producer, end.Committed);
        }

        done(ok ? MarkerOutcome.Written : MarkerOutcome.Retry);
    }

    private Partition? Find(TopicPartition partition) =>
        catalog.Find(partition.Topic)?.FindPartition(partition.Partition);
}
