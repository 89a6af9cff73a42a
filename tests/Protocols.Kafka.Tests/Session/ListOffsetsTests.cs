using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>ListOffsets and OffsetForLeaderEpoch: times, special offsets, epochs, and the first version's
/// list.</summary>
public sealed class ListOffsetsTests
{
    private const short Newest = 11;
    private const long Latest = -1;
    private const long Earliest = -2;
    private const long LargestTime = -3;
    private const long EarliestLocal = -4;
    private const long LatestTiered = -5;
    private const long EarliestPendingUpload = -6;

    private static readonly long Noon = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 100_000;

    [Theory]
    [InlineData(Latest, 4)]
    [InlineData(Earliest, 1)]
    [InlineData(EarliestLocal, 1)]
    [InlineData(LatestTiered, -1)]
    [InlineData(EarliestPendingUpload, -1)]
    public async Task Special_offsets_are_those_of_the_log_that_is_left(long special, long expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene, RecordCompression.None);
        await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 1 }] }] }, 2);
        Assert.Equal((ErrorCode.None, expected), await ListAsync(peer, special));
    }

    /// <summary>The times of the records are 0, 10, 5 and 7.</summary>
    [Theory]
    [InlineData(RecordCompression.None)]
    [InlineData(RecordCompression.Gzip)]
    [InlineData(RecordCompression.Snappy)]
    [InlineData(RecordCompression.Lz4)]
    [InlineData(RecordCompression.Zstd)]
    public async Task The_first_record_that_is_young_enough_is_found_in_every_compression(RecordCompression compression)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene, compression);
        (long After, long Offset)[] expected = [(0, 0), (1, 1), (5, 1), (6, 1), (10, 1), (11, -1)];
        foreach ((long after, long offset) in expected)
        {
            Assert.Equal((ErrorCode.None, offset), await ListAsync(peer, Noon + after));
        }

        Assert.Equal((ErrorCode.None, 1L), await ListAsync(peer, LargestTime));
        await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 2 }] }] }, 2);
        Assert.Equal((ErrorCode.None, 2L), await ListAsync(peer, Noon + 5));
        Assert.Equal((ErrorCode.None, 3L), await ListAsync(peer, Noon + 6));
    }

    [Fact]
    public async Task A_record_that_is_only_in_the_next_batch_is_found_there()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene, RecordCompression.None);
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, BatchAt(RecordCompression.None, 20)));
        await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 2 }] }] }, 2);
        Assert.Equal((ErrorCode.None, 4L), await ListAsync(peer, Noon + 8));
    }

    /// <summary>Behind a record that is deleted, so many batches are looked through and no more; then an earlier place
    /// is told rather than a later one.</summary>
    [Fact]
    public async Task A_young_record_far_behind_one_that_is_deleted_is_not_passed_over()
    {
        const int Old = 70;
        const long LastLookedAt = 64;
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, BatchAt(RecordCompression.None, 1000, 0)));
        for (int i = 0; i < Old; i++)
        {
            Assert.Equal(ErrorCode.None, await ProduceAsync(peer, BatchAt(RecordCompression.None, 0)));
        }

        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, BatchAt(RecordCompression.None, 1000)));
        Assert.Equal((ErrorCode.None, 0L), await ListAsync(peer, Noon + 500));
        await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 1 }] }] }, 2);
        Assert.Equal((ErrorCode.None, LastLookedAt), await ListAsync(peer, Noon + 500));
    }

    /// <summary>Where the append's time counts, all records of a batch have it.</summary>
    [Fact]
    public async Task By_the_time_of_the_append_the_first_record_of_the_batch_that_is_left_is_found()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", setting: ("message.timestamp.type", "LogAppendTime"));
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, BatchAt(RecordCompression.None, 0, 10, 5, 7)));
        Assert.Equal((ErrorCode.None, 0L), await ListAsync(peer, Noon + 50_000));
        await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 2 }] }] }, 2);
        Assert.Equal((ErrorCode.None, 2L), await ListAsync(peer, Noon + 50_000));
    }

    [Fact]
    public async Task The_first_version_lists_offsets_to_start_from()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene, RecordCompression.None);
        (long Time, int Most, long[] Offsets)[] expected =
        [
            (Latest, 10, [4, 0]), (Latest, 1, [4]), (Earliest, 10, [0]), (Latest, 0, []),
        ];
        foreach ((long time, int most, long[] offsets) in expected)
        {
            ListOffsetsResponse answer = await peer.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
                new()
                {
                    Topics = [new() { Name = "t", Partitions = [new() { Timestamp = time, MaxNumOffsets = most }] }],
                },
                0);
            Assert.Equal(offsets, answer.Topics[0].Partitions[0].OldStyleOffsets);
        }
    }

    [Fact]
    public async Task Committed_readers_are_told_where_the_first_open_transaction_begins()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene, RecordCompression.None);
        InitProducerIdResponse producer = await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "tx", TransactionTimeoutMs = 60_000 }, 4);
        var options = new RecordBatchOptions
        {
            ProducerId = producer.ProducerId,
            ProducerEpoch = producer.ProducerEpoch,
            BaseSequence = 0,
            IsTransactional = true,
        };
        ProduceRequest open = Requests.Produce("t", Requests.Batch(options, "open"));
        open.TransactionalId = "tx";
        await peer.AskAsync<ProduceRequest, ProduceResponse>(open, 12);
        Assert.Equal((ErrorCode.None, 5L), await ListAsync(peer, Latest));
        Assert.Equal((ErrorCode.None, 4L), await ListAsync(peer, Latest, isolation: 1));
    }

    [Fact]
    public async Task An_epoch_that_the_node_has_not_reached_is_unknown()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene, RecordCompression.None);
        Assert.Equal(ErrorCode.UnknownLeaderEpoch, (await ListAsync(peer, Latest, leaderEpoch: 5)).Error);
        FetchRequest fetch = Requests.Fetch("t", 0);
        fetch.Topics[0].Partitions[0].CurrentLeaderEpoch = 5;
        FetchResponse fetched = await peer.AskAsync<FetchRequest, FetchResponse>(fetch, 12);
        Assert.Equal((short)ErrorCode.UnknownLeaderEpoch, fetched.Responses[0].Partitions[0].ErrorCode);
        Assert.Equal((ErrorCode.UnknownLeaderEpoch, -1, -1L), await EndOfEpochAsync(peer, 0, currentEpoch: 5));
        Assert.Equal((ErrorCode.None, 0, 4L), await EndOfEpochAsync(peer, 0));
        Assert.Equal((ErrorCode.None, -1, -1L), await EndOfEpochAsync(peer, 3));
    }

    [Fact]
    public async Task What_is_not_there_is_said_to_be_unknown()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await ListAsync(peer, Latest)).Error);
        await peer.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await ListAsync(peer, Latest, partition: 1)).Error);
        Assert.Equal((ErrorCode.None, -1L), await ListAsync(peer, LargestTime));
        Assert.Equal((ErrorCode.None, 0L), await ListAsync(peer, Latest));
    }

    private static async Task<KafkaPeer> FillAsync(KafkaScene scene, RecordCompression compression)
    {
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, BatchAt(compression, 0, 10, 5, 7)));
        return peer;
    }

    private static RecordBytes BatchAt(RecordCompression compression, params long[] times)
    {
        var builder = new RecordBatchBuilder();
        foreach (long time in times)
        {
            builder.Add(Noon + time, [], "value"u8);
        }

        byte[] plain = builder.Finish().ToArray();
        if (compression == RecordCompression.None)
        {
            return new RecordBytes(plain);
        }

        using var compressed = new PooledBuffer();
        Assert.Equal(
            CodecFault.None,
            RecordCodec.TryCompress(compression, 0, plain.AsSpan(RecordBatch.HeaderBytes), compressed));
        byte[] batch = [.. plain.AsSpan(0, RecordBatch.HeaderBytes), .. compressed.WrittenSpan];
        RecordBatchPatch.SetRecords(batch, compression);
        return new RecordBytes(batch);
    }

    private static async Task<ErrorCode> ProduceAsync(KafkaPeer peer, RecordBytes batch)
    {
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", batch), 9);
        return (ErrorCode)answer.Responses[0].PartitionResponses[0].ErrorCode;
    }

    private static async Task<(ErrorCode Error, long Offset)> ListAsync(
        KafkaPeer peer, long time, sbyte isolation = 0, int leaderEpoch = -1, int partition = 0)
    {
        ListOffsetsResponse answer = await peer.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new()
            {
                IsolationLevel = isolation,
                Topics =
                [
                    new()
                    {
                        Name = "t",
                        Partitions =
                        [
                            new() { PartitionIndex = partition, Timestamp = time, CurrentLeaderEpoch = leaderEpoch },
                        ],
                    },
                ],
            },
            Newest);
        ListOffsetsResponse.ListOffsetsPartitionResponse found = answer.Topics[0].Partitions[0];
        return ((ErrorCode)found.ErrorCode, found.Offset);
    }

    private static async Task<(ErrorCode Error, int Epoch, long EndOffset)> EndOfEpochAsync(
        KafkaPeer peer, int epoch, int currentEpoch = -1)
    {
        OffsetForLeaderEpochResponse answer = await peer
            .AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
                new()
                {
                    Topics =
                    [
                        new()
                        {
                            Topic = "t",
                            Partitions = [new() { LeaderEpoch = epoch, CurrentLeaderEpoch = currentEpoch }],
                        },
                    ],
                },
                4);
        OffsetForLeaderEpochResponse.EpochEndOffset end = answer.Topics[0].Partitions[0];
        return ((ErrorCode)end.ErrorCode, end.LeaderEpoch, end.EndOffset);
    }
}
