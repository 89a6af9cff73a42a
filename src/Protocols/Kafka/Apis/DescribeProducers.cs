using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeProducers: the idempotent and transactional producers that partitions know of.</summary>
internal static class DescribeProducersApi
{
    public static ValueTask<DescribeProducersResponse?> HandleAsync(ApiCall call, DescribeProducersRequest request)
    {
        HashSet<(string Topic, int Partition)> described = [];
        return new(new DescribeProducersResponse
        {
            Topics = Array.ConvertAll(request.Topics, topic => new DescribeProducersResponse.TopicResponse
            {
                Name = topic.Name,
                Partitions =
                [
                    .. topic.PartitionIndexes.Where(p => described.Add((topic.Name, p)))
                        .Select(p => Describe(call.Session, topic.Name, p)),
                ],
            }),
        });
    }

    private static DescribeProducersResponse.PartitionResponse Describe(
        KafkaSession session, string topic, int number)
    {
        ErrorCode error = session.Find(topic, Guid.Empty, Permission.Consume, out RecordStream? stream);
        Partition? partition = stream?.FindPartition(number);
        if (partition is null)
        {
            error = error == ErrorCode.None ? ErrorCode.UnknownTopicOrPartition : error;
            return new() { PartitionIndex = number, ErrorCode = (short)error };
        }

        return new()
        {
            PartitionIndex = number,
            ActiveProducers =
            [
                .. partition.DescribeProducers().Select(p => new DescribeProducersResponse.ProducerState
                {
                    ProducerId = p.ProducerId,
                    ProducerEpoch = p.Epoch,
                    LastSequence = p.LastSequence,
                    LastTimestamp = p.LastTimestampMs,
                    CoordinatorEpoch = p.CoordinatorEpoch,
                    CurrentTxnStartOffset = p.TransactionStart,
                }),
            ],
        };
    }
}
