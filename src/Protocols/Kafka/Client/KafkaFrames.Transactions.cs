using System.Buffers;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Client;

/// <summary>Transactions of a producer, by the protocol that all brokers since 0.11 know: partitions are added before
/// something is written to them.</summary>
public sealed partial class KafkaFrames
{
    private const short InitProducerIdVersion = 1;
    private const short AddPartitionsVersion = 1;
    private const short EndTransactionVersion = 1;

    /// <summary>Asks for the producer's id; ends what an earlier producer of the name left open.</summary>
    public void WriteInitProducer(IBufferWriter<byte> target, int correlation, string transactionalId, int timeoutMs) =>
        Write(
            target, correlation, InitProducerIdVersion,
            new InitProducerIdRequest { TransactionalId = transactionalId, TransactionTimeoutMs = timeoutMs });

    /// <summary>The error, and who the producer is from now on.</summary>
    public static (short Error, long ProducerId, short Epoch) ReadInitProducer(ReadOnlyMemory<byte> frame)
    {
        var answer = Read<InitProducerIdResponse>(frame, InitProducerIdVersion);
        return (answer.ErrorCode, answer.ProducerId, answer.ProducerEpoch);
    }

    /// <summary>Adds the partitions 0 to <paramref name="partitions"/> - 1 of a topic to the transaction.</summary>
    public void WriteAddPartitions(
        IBufferWriter<byte> target, int correlation, in ProducerName producer, string topic, int partitions) =>
        Write(
            target, correlation, AddPartitionsVersion,
            new AddPartitionsToTxnRequest
            {
                V3AndBelowTransactionalId = producer.TransactionalId,
                V3AndBelowProducerId = producer.ProducerId,
                V3AndBelowProducerEpoch = producer.Epoch,
                V3AndBelowTopics = [new() { Name = topic, Partitions = [.. Enumerable.Range(0, partitions)] }],
            });

    /// <summary>The first error of a partition; 0: they are in. 51: the last transaction is not quite over.</summary>
    public static short ReadAddPartitions(ReadOnlyMemory<byte> frame) =>
        Read<AddPartitionsToTxnResponse>(frame, AddPartitionsVersion).ResultsByTopicV3AndBelow
            .SelectMany(topic => topic.ResultsByPartition).Select(partition => partition.PartitionErrorCode)
            .FirstOrDefault(error => error != 0);

    /// <summary>Commits.</summary>
    public void WriteCommit(IBufferWriter<byte> target, int correlation, in ProducerName producer) => Write(
        target, correlation, EndTransactionVersion,
        new EndTxnRequest
        {
            TransactionalId = producer.TransactionalId,
            ProducerId = producer.ProducerId,
            ProducerEpoch = producer.Epoch,
            Committed = true,
        });

    /// <summary>The error; 0: it is committed.</summary>
    public static short ReadCommit(ReadOnlyMemory<byte> frame) =>
        Read<EndTxnResponse>(frame, EndTransactionVersion).ErrorCode;
}

/// <summary>Who writes transactions.</summary>
/// <param name="TransactionalId">The name that it keeps.</param>
/// <param name="ProducerId">The id that the server gave it.</param>
/// <param name="Epoch">How often it was given.</param>
public readonly record struct ProducerName(string TransactionalId, long ProducerId, short Epoch);
