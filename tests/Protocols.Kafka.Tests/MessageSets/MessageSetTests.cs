using System.Buffers;
using System.Text;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.MessageSets;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.Tests.MessageSets;

/// <summary>Message sets of formats 0 and 1 to batches and back.</summary>
public sealed class MessageSetTests
{
    private const int BytesMax = 1 << 20;

    [Fact]
    public void The_checksum_is_that_of_IEEE() =>
        Assert.Equal(0xCBF43926u, Crc32.Compute("123456789"u8));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Records_are_the_same_after_a_round_trip(byte magic)
    {
        byte[] set = Set(magic, "a", "b", "c");
        var builder = new RecordBatchBuilder();
        Assert.Equal(ErrorCode.None, MessageSetReader.Convert(set, 77, BytesMax, builder));
        Assert.Equal(["a", "b", "c"], Values(builder, out long timestampMs));
        Assert.Equal(magic == 0 ? 77 : 5, timestampMs);
    }

    [Theory]
    [InlineData(0, (int)RecordCompression.Gzip)]
    [InlineData(0, (int)RecordCompression.Snappy)]
    [InlineData(0, (int)RecordCompression.Lz4)]
    [InlineData(1, (int)RecordCompression.Gzip)]
    [InlineData(1, (int)RecordCompression.Snappy)]
    [InlineData(1, (int)RecordCompression.Lz4)]
    public void A_compressed_message_holds_a_set(byte magic, int compression)
    {
        byte[] outer = Wrap(Set(magic, "a", "b"), magic, (RecordCompression)compression);
        var builder = new RecordBatchBuilder();
        Assert.Equal(ErrorCode.None, MessageSetReader.Convert(outer, 77, BytesMax, builder));
        Assert.Equal(["a", "b"], Values(builder, out _));
    }

    [Fact]
    public void A_set_within_a_set_within_a_set_is_refused()
    {
        byte[] inner = Wrap(Set(1, "a"), 1, RecordCompression.Gzip);
        byte[] outer = Wrap(inner, 1, RecordCompression.Gzip);
        Assert.Equal(ErrorCode.InvalidRecord, MessageSetReader.Convert(outer, 0, BytesMax, new RecordBatchBuilder()));
    }

    [Fact]
    public void A_bomb_is_refused_at_the_limit()
    {
        byte[] outer = Wrap(Set(1, new string('x', 100_000)), 1, RecordCompression.Gzip);
        Assert.InRange(outer.Length, 1, 2000);
        Assert.Equal(ErrorCode.MessageTooLarge, MessageSetReader.Convert(outer, 0, 10_000, new RecordBatchBuilder()));
    }

    [Fact]
    public void Every_flipped_bit_behind_the_offset_is_found()
    {
        byte[] set = Set(1, "abc");
        for (int bit = 8 * 8; bit < set.Length * 8; bit++)
        {
            byte[] broken = [.. set];
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            ErrorCode error = MessageSetReader.Convert(broken, 0, BytesMax, new RecordBatchBuilder());
            Assert.NotEqual(ErrorCode.None, error);
        }
    }

    [Fact]
    public void A_set_that_is_cut_anywhere_is_refused()
    {
        byte[] set = Set(0, "abc");
        for (int length = 0; length < set.Length; length++)
        {
            ErrorCode error = MessageSetReader.Convert(set.AsSpan(0, length), 0, BytesMax, new RecordBatchBuilder());
            Assert.NotEqual(ErrorCode.None, error);
        }
    }

    private static byte[] Set(byte magic, params string[] values)
    {
        var builder = new RecordBatchBuilder();
        foreach (string value in values)
        {
            builder.Add(5, "key"u8, Encoding.UTF8.GetBytes(value));
        }

        var set = new ArrayBufferWriter<byte>();
        MessageSetWriter.Convert(builder.Finish().Span, magic, BytesMax, set);
        return set.WrittenSpan.ToArray();
    }

    // A message whose value is the compressed set: written as a plain one, then marked.
    private static byte[] Wrap(byte[] set, byte magic, RecordCompression compression)
    {
        using var compressed = new PooledBuffer();
        Assert.Equal(CodecFault.None, RecordCodec.TryCompress(compression, 0, set, compressed));
        var builder = new RecordBatchBuilder();
        builder.Add(new RecordContent { TimestampMs = 5, HasValue = true, Value = compressed.WrittenSpan });
        var outer = new ArrayBufferWriter<byte>();
        MessageSetWriter.Convert(builder.Finish().Span, magic, BytesMax, outer);
        byte[] bytes = outer.WrittenSpan.ToArray();
        bytes[17] = (byte)compression;
        uint crc = Crc32.Compute(bytes.AsSpan(16));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), crc);
        return bytes;
    }

    private static string[] Values(RecordBatchBuilder builder, out long timestampMs)
    {
        Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(builder.Finish().Span, out RecordBatch batch));
        timestampMs = batch.BaseTimestampMs;
        var values = new List<string>();
        var reader = new RecordReader(batch.Records, batch.Count);
        while (reader.TryRead(out StreamRecord record))
        {
            Assert.Equal("key", Encoding.UTF8.GetString(record.Key));
            values.Add(Encoding.UTF8.GetString(record.Value));
        }

        return [.. values];
    }
}
