using System.Text;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>The requests that most tests need.</summary>
internal static class Requests
{
    /// <summary>Makes a topic, perhaps with one setting of its own; returns its id.</summary>
    public static async Task<Guid> CreateTopicAsync(
        this KafkaPeer peer, string topic, int partitions = 1, (string Name, string Value)? setting = null)
    {
        CreateTopicsRequest request = new()
        {
            Topics =
            [
                new()
                {
                    Name = topic,
                    NumPartitions = partitions,
                    ReplicationFactor = 1,
                    Configs = setting is { } one ? [new() { Name = one.Name, Value = one.Value }] : [],
                },
            ],
        };
        CreateTopicsResponse made = await peer.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(request, 7);
        Assert.Equal((0, null), (made.Topics[0].ErrorCode, made.Topics[0].ErrorMessage));
        return made.Topics[0].TopicId;
    }

    public static ProduceRequest Produce(string topic, RecordBytes records, short acks = -1, int partition = 0) => new()
    {
        Acks = acks,
        TimeoutMs = 1000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = records }] }],
    };

    public static FetchRequest Fetch(string topic, long offset, int waitMs = 0, int partition = 0) => new()
    {
        MaxWaitMs = waitMs,
        MinBytes = 1,
        Topics =
        [
            new()
            {
                Topic = topic,
                Partitions = [new() { Partition = partition, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }],
            },
        ],
    };

    /// <summary>A batch of records with these values.</summary>
    public static RecordBytes Batch(params string[] values) => Batch(new RecordBatchOptions(), values);

    public static RecordBytes Batch(RecordBatchOptions options, params string[] values)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(options);
        foreach (string value in values)
        {
            builder.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), [], Encoding.UTF8.GetBytes(value));
        }

        return new RecordBytes(builder.Finish().ToArray());
    }

    /// <summary>The values of records in whole batches.</summary>
    public static string[] Values(RecordBytes records)
    {
        var values = new List<string>();
        ReadOnlySpan<byte> rest = records.Memory.Span;
        while (RecordBatch.TryRead(rest, out RecordBatch batch) == RecordBatchFault.None)
        {
            rest = rest[batch.SizeBytes..];
            var reader = new RecordReader(batch.Records, batch.Count);
            while (!batch.IsControl && reader.TryRead(out StreamRecord record))
            {
                values.Add(Encoding.UTF8.GetString(record.Value));
            }
        }

        return [.. values];
    }
}
