using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.WriteTxnMarkersRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.WriteTxnMarkersResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>WriteTxnMarkers: an operator ends a transaction that hangs, by hand.</summary>
internal static class WriteTxnMarkersApi
{
    private const sbyte TransactionsV2 = 2;

    public static async ValueTask<WriteTxnMarkersResponse?> HandleAsync(ApiCall call, WriteTxnMarkersRequest request)
    {
        var results = new WritableTxnMarkerResult[request.Markers.Length];
        for (int m = 0; m < results.Length; m++)
        {
            WritableTxnMarker marker = request.Markers[m];
            var topics = new List<WritableTxnMarkerTopicResult>();
            foreach (WritableTxnMarkerTopic topic in marker.Topics)
            {
                var partitions = new List<WritableTxnMarkerPartitionResult>();
                foreach (int partition in topic.PartitionIndexes)
                {
                    ErrorCode error = await WriteAsync(call.Session, marker, topic.Name, partition);
                    partitions.Add(new() { PartitionIndex = partition, ErrorCode = (short)error });
                }

                topics.Add(new() { Name = topic.Name, Partitions = [.. partitions] });
            }

            results[m] = new() { ProducerId = marker.ProducerId, Topics = [.. topics] };
        }

        return new WriteTxnMarkersResponse { Markers = results };
    }

    private static async ValueTask<ErrorCode> WriteAsync(
        KafkaSession session, WritableTxnMarker marker, string topic, int number)
    {
        if (!session.MayOnCluster(Permission.Manage))
        {
            return ErrorCode.ClusterAuthorizationFailed;
        }

        if (session.Streams.Find(topic)?.FindPartition(number) is not { } partition)
        {
            return ErrorCode.UnknownTopicOrPartition;
        }

        AppendResult written = partition.EndTransaction(
            marker.ProducerId, marker.ProducerEpoch,
            new EndTransactionMarker(marker.TransactionResult, marker.CoordinatorEpoch),
            marker.TransactionVersion >= TransactionsV2);
        if (written.Error != StreamError.None)
        {
            return ErrorCodes.Of(written.Error);
        }

        var durable = new DurableWait();
        partition.WhenDurable(written.DurableAt, durable);
        if (!await durable.Task)
        {
            return ErrorCode.KafkaStorageError;
        }

        if (topic == StreamCoordinators.OffsetsStream)
        {
            session.Coordinators.Groups.EndTransaction(
                number, new ProducerStamp(marker.ProducerId, marker.ProducerEpoch), marker.TransactionResult);
        }

        return ErrorCode.None;
    }
}
