using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.MessageSets;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Zstandard came later than record batches (KIP-110): a client says by the version of its request that it
/// knows it.</summary>
public sealed class ZstdVersionTests
{
    [Theory]
    [InlineData(3, false)]
    [InlineData(6, false)]
    [InlineData(7, true)]
    [InlineData(9, true)]
    public async Task Zstd_is_taken_from_version_7_of_Produce_on(short version, bool isTaken)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        ErrorCode expected = isTaken ? ErrorCode.None : ErrorCode.UnsupportedCompressionType;
        Assert.Equal(expected, await ProduceAsync(peer, Compressed(RecordCompression.Zstd, "a"), version));
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, Compressed(RecordCompression.Lz4, "b"), version));
    }

    /// <summary>Kafka refuses it before version 10; kafka-python reads it by version 4.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(12)]
    public async Task Zstd_is_given_as_it_is_to_readers_of_batches(short version)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene);
        (ErrorCode error, string[] values) = await FetchAsync(peer, 0, version);
        Assert.Equal(ErrorCode.None, error);
        Assert.Equal(["first", "lz4", "zstd", "plain"], values);
    }

    /// <summary>Readers of message sets get the records as they are: all is written anew for them.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Readers_of_message_sets_need_not_know_it(short version)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene);
        FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 2), version);
        Assert.Equal(0, answer.Responses[0].Partitions[0].ErrorCode);
        Assert.True(OldMessage.TryRead(answer.Responses[0].Partitions[0].Records.Memory.Span, out OldMessage first));
        Assert.Equal("zstd"u8, first.Value);
    }

    // Offsets 0 and 1 without compression and LZ4, 2 zstd, 3 without.
    private static async Task<KafkaPeer> FillAsync(KafkaScene scene)
    {
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        foreach (RecordBytes batch in new[]
        {
            Requests.Batch("first"), Compressed(RecordCompression.Lz4, "lz4"),
            Compressed(RecordCompression.Zstd, "zstd"), Requests.Batch("plain"),
        })
        {
            Assert.Equal(ErrorCode.None, await ProduceAsync(peer, batch, 9));
        }

        return peer;
    }

    private static async Task<(ErrorCode Error, string[] Values)> FetchAsync(KafkaPeer peer, long offset, short version)
    {
        FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", offset), version);
        FetchResponse.PartitionData partition = answer.Responses[0].Partitions[0];
        return ((ErrorCode)partition.ErrorCode, Values(partition.Records));
    }

    private static string[] Values(RecordBytes records)
    {
        var values = new List<string>();
        ReadOnlySpan<byte> rest = records.Memory.Span;
        while (RecordBatch.TryRead(rest, out RecordBatch batch) == RecordBatchFault.None)
        {
            rest = rest[batch.SizeBytes..];
            using var plain = new PooledBuffer();
            Assert.Equal(CodecFault.None, RecordCodec.TryDecompress(batch.Compression, batch.Records, plain));
            var reader = new RecordReader(plain.WrittenSpan, batch.Count);
            while (reader.TryRead(out StreamRecord record))
            {
                values.Add(System.Text.Encoding.UTF8.GetString(record.Value));
            }
        }

        return [.. values];
    }

    private static RecordBytes Compressed(RecordCompression compression, string value)
    {
        byte[] plain = Requests.Batch(value).Memory.ToArray();
        using var compressed = new PooledBuffer();
        Assert.Equal(
            CodecFault.None,
            RecordCodec.TryCompress(compression, 0, plain.AsSpan(RecordBatch.HeaderBytes), compressed));
        byte[] batch = [.. plain.AsSpan(0, RecordBatch.HeaderBytes), .. compressed.WrittenSpan];
        RecordBatchPatch.SetRecords(batch, compression);
        return new RecordBytes(batch);
    }

    private static async Task<ErrorCode> ProduceAsync(KafkaPeer peer, RecordBytes batch, short version)
    {
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", batch), version);
        return (ErrorCode)answer.Responses[0].PartitionResponses[0].ErrorCode;
    }
}
