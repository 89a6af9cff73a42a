using System.Buffers.Binary;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Batches that lie: each is refused with an error of its own, and the connection goes on.</summary>
public sealed class HostileBatchTests
{
    private const int LengthAt = 8;
    private const int CrcAt = 17;
    private const int AttributesAt = 21;
    private const int LastOffsetDeltaAt = 23;
    private const int CountAt = 57;
    private const int BombBytes = 200 << 20;

    [Theory]
    [InlineData("a flipped bit", nameof(ErrorCode.CorruptMessage))]
    [InlineData("a count too high", nameof(ErrorCode.InvalidRecord))]
    [InlineData("a negative count", nameof(ErrorCode.CorruptMessage))]
    [InlineData("a last offset too high", nameof(ErrorCode.InvalidRecord))]
    [InlineData("a length too high", nameof(ErrorCode.CorruptMessage))]
    [InlineData("a negative length", nameof(ErrorCode.CorruptMessage))]
    [InlineData("a control batch", nameof(ErrorCode.InvalidRecord))]
    [InlineData("a cut batch", nameof(ErrorCode.CorruptMessage))]
    [InlineData("compressed nonsense", nameof(ErrorCode.CorruptMessage))]
    [InlineData("an unknown codec", nameof(ErrorCode.UnsupportedCompressionType))]
    [InlineData("an old format", nameof(ErrorCode.InvalidRecord))]
    [InlineData("nothing", nameof(ErrorCode.InvalidRecord))]
    public async Task Is_refused(string what, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        byte[] batch = Break(what, Requests.Batch("one", "two").Memory.ToArray());
        Assert.Equal(expected, (await ProduceAsync(peer, batch)).ToString());
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, Requests.Batch("good").Memory.ToArray()));
        FetchResponse read = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0), 12);
        Assert.Equal(["good"], Requests.Values(read.Responses[0].Partitions[0].Records));
    }

    /// <summary>The topic takes large batches, so that it is what they hold that is too much.</summary>
    [Theory]
    [InlineData((byte)RecordCompression.Gzip)]
    [InlineData((byte)RecordCompression.Snappy)]
    [InlineData((byte)RecordCompression.Lz4)]
    [InlineData((byte)RecordCompression.Zstd)]
    public async Task A_decompression_bomb_is_refused_at_the_limit(byte codec)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", setting: ("max.message.bytes", $"{BombBytes}"));
        using var compressed = new PooledBuffer();
        RecordCodec.TryCompress((RecordCompression)codec, 1, new byte[BombBytes], compressed);
        byte[] batch = Compressed((RecordCompression)codec, compressed.WrittenSpan);
        Assert.Equal(ErrorCode.MessageTooLarge, await ProduceAsync(peer, batch));
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, Requests.Batch("good").Memory.ToArray()));
    }

    private static byte[] Break(string what, byte[] batch)
    {
        switch (what)
        {
            case "a flipped bit":
                batch[^2] ^= 1;
                return batch;
            case "a count too high":
                return WithInt(batch, CountAt, 3);
            case "a negative count":
                return WithInt(batch, CountAt, -1);
            case "a last offset too high":
                return WithInt(batch, LastOffsetDeltaAt, 7);
            case "a length too high":
                return WithInt(batch, LengthAt, batch.Length);
            case "a negative length":
                return WithInt(batch, LengthAt, -1);
            case "a control batch":
                batch[AttributesAt + 1] |= 0x20;
                return WithCrc(batch);
            case "a cut batch":
                return batch[..^1];
            case "compressed nonsense":
                batch[AttributesAt + 1] |= (byte)RecordCompression.Gzip;
                return WithCrc(batch);
            case "an unknown codec":
                batch[AttributesAt + 1] |= 7;
                return WithCrc(batch);
            case "an old format":
                batch[16] = 1;
                return batch;
            default:
                return [];
        }
    }

    private static byte[] Compressed(RecordCompression codec, ReadOnlySpan<byte> records)
    {
        byte[] header = Requests.Batch("x").Memory[..RecordBatch.HeaderBytes].ToArray();
        byte[] batch = [.. header, .. records];
        batch[AttributesAt + 1] |= (byte)codec;
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(LengthAt), batch.Length - RecordBatch.LengthFrom);
        return WithCrc(batch);
    }

    private static byte[] WithInt(byte[] batch, int at, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(at), value);
        return at > CrcAt ? WithCrc(batch) : batch;
    }

    private static byte[] WithCrc(byte[] batch)
    {
        RecordBatchPatch.RefreshCrc(batch);
        return batch;
    }

    private static async Task<ErrorCode> ProduceAsync(KafkaPeer peer, byte[] batch)
    {
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", new RecordBytes(batch)), 9);
        return (ErrorCode)answer.Responses[0].PartitionResponses[0].ErrorCode;
    }
}
