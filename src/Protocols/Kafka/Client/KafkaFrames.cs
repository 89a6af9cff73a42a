using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Client;

/// <summary>
/// The client's side of the few APIs that a measurement needs: requests as frames, answers from frames, in versions
/// that every broker of the last years knows. Pure; one owner, for it keeps a buffer.
/// </summary>
public sealed partial class KafkaFrames(string clientId) : IDisposable
{
    private const short CreateTopicsVersion = 4;
    private const short ProduceVersion = 7;
    private const short FetchVersion = 11;
    private const short ListOffsetsVersion = 2;
    private const int ReplicationFactor = 1;
    private const long Latest = -1;

    private readonly KafkaWriter _writer = new();

    /// <summary>Where a frame ends; -1 when it is not all there. Throws <see cref="KafkaException"/> for a size that
    /// cannot be one.</summary>
    public static int EndOfFrame(ReadOnlySpan<byte> input)
    {
        if (input.Length < sizeof(int))
        {
            return -1;
        }

        int size = BinaryPrimitives.ReadInt32BigEndian(input);
        if (size < sizeof(int))
        {
            KafkaException.Throw($"an answer of {size} bytes");
        }

        return input.Length - sizeof(int) >= size ? size + sizeof(int) : -1;
    }

    /// <summary>The number of the request that an answer belongs to.</summary>
    public static int CorrelationOf(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt32BigEndian(frame[4..]);

    /// <summary>Asks for a topic to be made.</summary>
    public void WriteCreateTopic(IBufferWriter<byte> target, int correlation, string topic, int partitions) =>
        Write(
            target, correlation, CreateTopicsVersion,
            new CreateTopicsRequest
            {
                Topics =
                    [new() { Name = topic, NumPartitions = partitions, ReplicationFactor = ReplicationFactor }],
            });

    /// <summary>The error of the topic: 0, or 36 when it is there already.</summary>
    public static short ReadCreateTopic(ReadOnlyMemory<byte> frame) =>
        Read<CreateTopicsResponse>(frame, CreateTopicsVersion).Topics[0].ErrorCode;

    /// <summary>Asks where a partition ends.</summary>
    public void WriteEndOffset(IBufferWriter<byte> target, int correlation, string topic, int partition) =>
        Write(
            target, correlation, ListOffsetsVersion,
            new ListOffsetsRequest
            {
                ReplicaId = -1,
                Topics =
                    [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, Timestamp = Latest }] }],
            });

    /// <summary>The error, and where the partition ends.</summary>
    public static (short Error, long Offset) ReadEndOffset(ReadOnlyMemory<byte> frame)
    {
        var partition = Read<ListOffsetsResponse>(frame, ListOffsetsVersion).Topics[0].Partitions[0];
        return (partition.ErrorCode, partition.Offset);
    }

    /// <summary>Sends a batch; with a transactional id as a part of that producer's transaction.</summary>
    public void WriteProduce(
        IBufferWriter<byte> target, int correlation, (string Topic, int Partition) to, short acks,
        ReadOnlyMemory<byte> batch, string? transactionalId = null) =>
        Write(
            target, correlation, ProduceVersion,
            new ProduceRequest
            {
                TransactionalId = transactionalId,
                Acks = acks,
                TimeoutMs = 30_000,
                TopicData =
                [
                    new()
                    {
                        Name = to.Topic,
                        PartitionData = [new() { Index = to.Partition, Records = new RecordBytes(batch) }],
                    },
                ],
            });

    /// <summary>The error of a batch.</summary>
    public static short ReadProduce(ReadOnlyMemory<byte> frame) =>
        Read<ProduceResponse>(frame, ProduceVersion).Responses[0].PartitionResponses[0].ErrorCode;

    /// <summary>Asks for records of partitions 0, 1, ... from these offsets on; committed ones only if wanted.
    /// </summary>
    public void WriteFetch(
        IBufferWriter<byte> target, int correlation, string topic, ReadOnlySpan<long> offsets, int waitMs,
        int partitionBytes, bool isCommitted = false)
    {
        var partitions = new FetchRequest.FetchPartition[offsets.Length];
        for (int i = 0; i < partitions.Length; i++)
        {
            partitions[i] = new() { Partition = i, FetchOffset = offsets[i], PartitionMaxBytes = partitionBytes };
        }

        Write(
            target, correlation, FetchVersion,
            new FetchRequest
            {
                MaxWaitMs = waitMs,
                MinBytes = 1,
                MaxBytes = 50 << 20,
                IsolationLevel = isCommitted ? (sbyte)1 : (sbyte)0,
                Topics = [new() { Topic = topic, Partitions = partitions }],
            });
    }

    /// <summary>Gives each partition's error and whole batches, as views of the frame.</summary>
    public static IEnumerable<(int Partition, short Error, ReadOnlyMemory<byte> Batches)> ReadFetch(
        ReadOnlyMemory<byte> frame) =>
        Read<FetchResponse>(frame, FetchVersion).Responses.SelectMany(t => t.Partitions)
            .Select(p => (p.PartitionIndex, p.ErrorCode, p.Records.Memory));

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private void Write<T>(IBufferWriter<byte> target, int correlation, short version, T request)
        where T : IKafkaMessage<T>
    {
        _writer.Clear();
        new RequestHeader(T.Key, version, correlation, clientId).Write(_writer, version >= T.FlexibleFrom);
        request.Write(_writer, version);
        BinaryPrimitives.WriteInt32BigEndian(target.GetSpan(sizeof(int)), (int)_writer.Length);
        target.Advance(sizeof(int));
        int from = 0;
        foreach (RecordHole hole in _writer.Holes)
        {
            target.Write(_writer.Written.Span[from..hole.Position]);
            target.Write(hole.Records.Memory.Span);
            from = hole.Position;
        }

        target.Write(_writer.Written.Span[from..]);
    }

    private static T Read<T>(ReadOnlyMemory<byte> frame, short version)
        where T : IKafkaMessage<T>
    {
        var reader = new KafkaReader(frame[(2 * sizeof(int))..]);
        return T.Read(ref reader, version);
    }
}
