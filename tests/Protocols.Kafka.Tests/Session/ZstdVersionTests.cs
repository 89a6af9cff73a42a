using System.Buffers;
using System.Buffers.Binary;
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

    /// <summary>As Kafka does since version 4.0, whatever the topic says; before, it refused such topics to versions
    /// before 10. kafka-python reads it by version 4.</summary>
    [Theory]
    [InlineData(4, "producer")]
    [InlineData(9, "producer")]
    [InlineData(10, "producer")]
    [InlineData(12, "producer")]
    [InlineData(4, "zstd")]
    [InlineData(9, "zstd")]
    [InlineData(10, "zstd")]
    public async Task Zstd_is_given_as_it_is_to_readers_of_batches(short version, string ofTopic)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = await FillAsync(scene, ofTopic);
        (ErrorCode error, string[] values) = await FetchAsync(peer, 0, version);
        Assert.Equal(ErrorCode.None, error);
        Assert.Equal(["first", "lz4", "zstd", "plain"], values);
    }

    [Theory]
    [InlineData(RecordCompression.Zstd, 0, 0, nameof(ErrorCode.UnsupportedCompressionType))]
    [InlineData(RecordCompression.Zstd, 1, 2, nameof(ErrorCode.UnsupportedCompressionType))]
    [InlineData(RecordCompression.Gzip, 0, 0, nameof(ErrorCode.None))]
    [InlineData(RecordCompression.Gzip, 1, 2, nameof(ErrorCode.None))]
    public async Task Message_sets_hold_none(
        RecordCompression compression, byte magic, short version, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        var set = new ArrayBufferWriter<byte>();
        MessageSetWriter.Convert(Requests.Batch("a", "b").Memory.Span, magic, 1 << 20, set);
        using var inner = new PooledBuffer();
        Assert.Equal(CodecFault.None, RecordCodec.TryCompress(compression, 0, set.WrittenSpan, inner));
        RecordBytes outer = new(Wrapped(magic, compression, inner.WrittenSpan));
        Assert.Equal(expected, $"{await ProduceAsync(peer, outer, version)}");
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
    private static async Task<KafkaPeer> FillAsync(KafkaScene scene, string ofTopic = "producer")
    {
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 1, ("compression.type", ofTopic));
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

    // offset, size, CRC-32 of what follows, magic, attributes, [timestamp,] no key, value.
    private static byte[] Wrapped(byte magic, RecordCompression compression, ReadOnlySpan<byte> value)
    {
        var covered = new ArrayBufferWriter<byte>();
        covered.Write<byte>([magic, (byte)compression]);
        covered.Write<byte>(new byte[magic * 8]);
        covered.Write<byte>([0xff, 0xff, 0xff, 0xff]);
        BinaryPrimitives.WriteInt32BigEndian(covered.GetSpan(4), value.Length);
        covered.Advance(4);
        covered.Write<byte>(value);
        byte[] message = new byte[16 + covered.WrittenCount];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(8), 4 + covered.WrittenCount);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), Crc32.Compute(covered.WrittenSpan));
        covered.WrittenSpan.CopyTo(message.AsSpan(16));
        return message;
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
