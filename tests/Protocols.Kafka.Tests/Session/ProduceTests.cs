using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.ProduceResponse;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>What Produce refuses, repeats, and changes in a batch.</summary>
public sealed class ProduceTests
{
    private const long Hour = 3_600_000;

    private static readonly long Now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Theory]
    [InlineData(2)]
    [InlineData(-2)]
    public async Task Acknowledgements_that_nobody_knows_are_refused(short acks)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.InvalidRequiredAcks, Error(await ProduceAsync(peer, Requests.Batch("a"), acks: acks)));
        Assert.Empty(await ReadAsync(peer));
    }

    [Fact]
    public async Task Two_batches_for_one_partition_are_refused()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        byte[] both = [.. Requests.Batch("a").Memory.Span, .. Requests.Batch("b").Memory.Span];
        Assert.Equal(ErrorCode.InvalidRecord, Error(await ProduceAsync(peer, new RecordBytes(both))));
        Assert.Empty(await ReadAsync(peer));
    }

    [Fact]
    public async Task A_batch_beyond_the_topic_s_limit_is_too_large()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", setting: ("max.message.bytes", "1000"));
        RecordBytes small = Requests.Batch(new string('x', 900));
        RecordBytes large = Requests.Batch(new string('x', 1000));
        Assert.Equal(ErrorCode.MessageTooLarge, Error(await ProduceAsync(peer, large)));
        Assert.Equal(ErrorCode.None, Error(await ProduceAsync(peer, small)));
    }

    [Theory]
    [InlineData(2 * Hour, 0, nameof(ErrorCode.InvalidTimestamp))]
    [InlineData(0, -30 * Hour, nameof(ErrorCode.InvalidTimestamp))]
    [InlineData(-20 * Hour, Hour / 2, nameof(ErrorCode.None))]
    public async Task Times_too_far_from_now_are_refused_record_by_record(long first, long second, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", setting: ("message.timestamp.before.max.ms", $"{24 * Hour}"));
        PartitionProduceResponse answer = await ProduceAsync(peer, BatchAt(Now + first, Now + second));
        Assert.Equal(expected, Error(answer).ToString());
        int[] wrong = expected == nameof(ErrorCode.None) ? [] : [first == 0 ? 1 : 0];
        Assert.Equal(wrong, answer.RecordErrors.Select(e => e.BatchIndex));
    }

    /// <summary>Retention and look-ups by time go by the header: what it says must be so.</summary>
    [Theory]
    [InlineData(-5000)]
    [InlineData(5000)]
    public async Task The_largest_time_in_the_header_is_that_of_the_records(long lie)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        byte[] batch = BatchAt(Now, Now + 7, Now + 3).Memory.ToArray();
        RecordBatchPatch.SetMaxTimestamp(batch, Now + lie);
        Assert.Equal(ErrorCode.None, Error(await ProduceAsync(peer, new RecordBytes(batch))));
        byte[] stored = await ReadBytesAsync(peer);
        Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(stored, out RecordBatch header));
        Assert.Equal((Now + 7, true), (header.MaxTimestampMs, header.IsCrcValid));
    }

    [Fact]
    public async Task A_batch_is_stored_as_it_came_but_for_its_place()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await ProduceAsync(peer, Requests.Batch("before"));
        byte[] sent = BatchAt(Now, Now + 7).Memory.ToArray();
        Assert.Equal(1, (await ProduceAsync(peer, new RecordBytes(sent))).BaseOffset);
        byte[] stored = await ReadBytesAsync(peer, 1);
        RecordBatchPatch.SetPlace(sent, 1, 0);
        Assert.Equal(sent, stored);
    }

    [Fact]
    public async Task The_time_of_the_append_takes_the_place_of_the_producer_s_when_the_topic_says_so()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", setting: ("message.timestamp.type", "LogAppendTime"));
        PartitionProduceResponse answer = await ProduceAsync(peer, BatchAt(Now - (100 * Hour)));
        Assert.Equal(ErrorCode.None, Error(answer));
        Assert.True(answer.LogAppendTimeMs >= Now);
        Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(await ReadBytesAsync(peer), out RecordBatch stored));
        Assert.Equal(
            (true, answer.LogAppendTimeMs, true), (stored.IsAppendTime, stored.MaxTimestampMs, stored.IsCrcValid));
    }

    [Fact]
    public async Task Clients_may_not_say_that_the_time_is_the_append_s()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        RecordBytes batch = Requests.Batch(new RecordBatchOptions { IsAppendTime = true }, "a");
        Assert.Equal(ErrorCode.InvalidTimestamp, Error(await ProduceAsync(peer, batch)));
    }

    [Theory]
    [InlineData(7, 0)]
    [InlineData(8, 2)]
    public async Task Records_without_a_key_are_named_from_version_8_on(short version, int named)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", setting: ("cleanup.policy", "compact"));
        var builder = new RecordBatchBuilder();
        builder.Add(Now, "k"u8, "v"u8);
        builder.Add(new RecordContent { TimestampMs = Now, HasValue = true, Value = "v"u8 });
        builder.Add(new RecordContent { TimestampMs = Now, HasValue = true, Value = "v"u8 });
        PartitionProduceResponse answer = await ProduceAsync(
            peer, new RecordBytes(builder.Finish().ToArray()), version);
        Assert.Equal(ErrorCode.InvalidRecord, Error(answer));
        Assert.Equal(Enumerable.Range(1, named), answer.RecordErrors.Select(e => e.BatchIndex));
    }

    /// <summary>Of each producer the last five batches are known; what is older than those is a gap like any
    /// other.</summary>
    [Fact]
    public async Task The_last_five_batches_of_a_producer_may_come_again()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        for (int i = 0; i < 7; i++)
        {
            Assert.Equal(i, (await ProduceAsync(peer, Sequenced(7, 0, i))).BaseOffset);
        }

        for (int i = 2; i < 7; i++)
        {
            PartitionProduceResponse again = await ProduceAsync(peer, Sequenced(7, 0, i));
            Assert.Equal((ErrorCode.None, (long)i), (Error(again), again.BaseOffset));
        }

        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, Error(await ProduceAsync(peer, Sequenced(7, 0, 1))));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, Error(await ProduceAsync(peer, Sequenced(7, 0, 8))));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, Error(await ProduceAsync(peer, Sequenced(7, 1, 7))));
        Assert.Equal(7, (await ProduceAsync(peer, Sequenced(7, 1, 0))).BaseOffset);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, Error(await ProduceAsync(peer, Sequenced(7, 0, 7))));
        Assert.Equal(8, (await ReadAsync(peer)).Length);
    }

    [Fact]
    public async Task What_is_not_there_is_unknown_and_does_not_stop_the_rest()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        ProduceRequest request = Requests.Produce("missing", Requests.Batch("a"));
        request.TopicData =
        [
            .. request.TopicData,
            new()
            {
                Name = "t",
                PartitionData =
                    [new() { Index = 5, Records = Requests.Batch("b") }, new() { Records = Requests.Batch("c") }],
            },
        ];
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(request, 9);
        Assert.Equal(
            [ErrorCode.UnknownTopicOrPartition, ErrorCode.UnknownTopicOrPartition, ErrorCode.None],
            answer.Responses.SelectMany(t => t.PartitionResponses).Select(Error));
        Assert.Equal(["c"], await ReadAsync(peer));
    }

    private static RecordBytes Sequenced(long producer, short epoch, int sequence) => Requests.Batch(
        new RecordBatchOptions { ProducerId = producer, ProducerEpoch = epoch, BaseSequence = sequence }, "v");

    private static RecordBytes BatchAt(params long[] times)
    {
        var builder = new RecordBatchBuilder();
        foreach (long time in times)
        {
            builder.Add(time, "k"u8, "v"u8);
        }

        return new RecordBytes(builder.Finish().ToArray());
    }

    private static ErrorCode Error(PartitionProduceResponse answer) => (ErrorCode)answer.ErrorCode;

    private static async Task<PartitionProduceResponse> ProduceAsync(
        KafkaPeer peer, RecordBytes batch, short version = 9, short acks = -1)
    {
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", batch, acks), version);
        return answer.Responses[0].PartitionResponses[0];
    }

    private static async Task<string[]> ReadAsync(KafkaPeer peer) =>
        Requests.Values(new RecordBytes(await ReadBytesAsync(peer)));

    private static async Task<byte[]> ReadBytesAsync(KafkaPeer peer, long offset = 0)
    {
        FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", offset), 12);
        Assert.Equal(0, answer.Responses[0].Partitions[0].ErrorCode);
        return answer.Responses[0].Partitions[0].Records.Memory.ToArray();
    }
}
