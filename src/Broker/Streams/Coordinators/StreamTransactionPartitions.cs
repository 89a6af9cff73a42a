using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>Writes the ends of transactions into partitions, and tells the groups of those in their offsets. One
/// owner: the coordinators' loop.</summary>
internal sealed class StreamTransactionPartitions(
    StreamCatalog catalog, RecordStream offsets, GroupCoordinator groups) : ITransactionPartitions
{
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
        AppendResult result = target.EndTransaction(
            end.Producer.Id, end.Producer.Epoch, marker, isTransactionV2: end.Version >= 2);
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
