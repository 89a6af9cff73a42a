using System.Buffers.Binary;
using Pillarbox.Model;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Record batches as bytes.</summary>
public sealed class RecordBatchTests
{
    [Fact]
    public void What_is_built_can_be_read()
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(new RecordBatchOptions { ProducerId = 7, ProducerEpoch = 3, BaseSequence = 11 });
        byte[] headers = RecordBatchBuilder.EncodeHeaders([([1], [2]), ([3], null)]);
        builder.Add(1000, "key"u8, "value"u8);
        builder.Add(new RecordContent { TimestampMs = 900, HeaderCount = 2, Headers = headers });
        byte[] bytes = builder.Finish().ToArray();
        Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(bytes, out RecordBatch batch));
        Assert.True(batch.IsCrcValid);
        Assert.Equal((7L, (short)3, 11, 12), (
            batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence, batch.LastSequence));
        Assert.Equal((1000L, 1000L, 2, 1), (
            batch.BaseTimestampMs, batch.MaxTimestampMs, batch.Count, batch.LastOffsetDelta));
        var reader = new RecordReader(batch.Records, batch.Count);
        Assert.True(reader.TryRead(out StreamRecord first));
        Assert.True(first.Key.SequenceEqual("key"u8) && first.Value.SequenceEqual("value"u8));
        Assert.True(reader.TryRead(out StreamRecord second));
        Assert.Equal((false, false, -100L, 2), (
            second.HasKey, second.HasValue, second.TimestampDelta, second.HeaderCount));
        RecordHeaderReader read = second.ReadHeaders();
        Assert.True(read.TryRead(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out bool hasValue));
        Assert.True(key[0] == 1 && value[0] == 2 && hasValue);
        Assert.True(read.TryRead(out _, out _, out hasValue));
        Assert.False(hasValue);
        Assert.False(reader.TryRead(out _));
        Assert.True(reader.IsComplete);
    }

    [Fact]
    public void Every_cut_is_incomplete_or_a_fault_never_an_exception()
    {
        var builder = new RecordBatchBuilder();
        builder.Add(1000, "key"u8, "value"u8);
        byte[] bytes = builder.Finish().ToArray();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(RecordBatchFault.Incomplete, RecordBatch.TryRead(bytes.AsSpan(0, length), out _));
            var reader = new RecordReader(bytes.AsSpan(RecordBatch.HeaderBytes)[..Math.Max(0, length - 61)], 1);
            Assert.False(reader.TryRead(out _));
            Assert.True(reader.IsBroken);
        }
    }

    [Fact]
    public void Random_records_never_escape_the_reader()
    {
        SeededRandom random = Seeds.New(out string seed);
        byte[] bytes = new byte[64];
        for (int i = 0; i < 100_000; i++)
        {
            random.Fill(bytes);
            bytes[0] = (byte)random.Next(126);
            var reader = new RecordReader(bytes.AsSpan(0, random.Next(64)), 5);
            while (reader.TryRead(out StreamRecord record))
            {
                Assert.True(record.Key.Length + record.Value.Length <= 64, seed);
            }
        }
    }

    [Fact]
    public void The_checksum_does_not_cover_what_the_leader_puts_in()
    {
        var builder = new RecordBatchBuilder();
        builder.Add(1000, "key"u8, "value"u8);
        byte[] bytes = builder.Finish().ToArray();
        RecordBatchPatch.SetPlace(bytes, 123456789, 42);
        RecordBatch.TryRead(bytes, out RecordBatch batch);
        Assert.Equal((123456789L, 42, true), (batch.BaseOffset, batch.LeaderEpoch, batch.IsCrcValid));
        RecordBatchPatch.SetAppendTime(bytes, 5555);
        RecordBatch.TryRead(bytes, out batch);
        Assert.Equal((true, 5555L, true), (batch.IsAppendTime, batch.MaxTimestampMs, batch.IsCrcValid));
    }

    [Fact]
    public void The_checksum_is_the_one_of_the_format()
    {
        // A batch as another implementation wrote it: one record "a" -> "b", timestamp 1.
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        var builder = new RecordBatchBuilder();
        builder.Add(1, "a"u8, "b"u8);
        byte[] bytes = builder.Finish().ToArray();
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(21)), BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(17)));
        Assert.Equal([16, 0, 0, 0, 2, (byte)'a', 2, (byte)'b', 0], bytes[61..]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_marker_can_be_read(bool isCommit)
    {
        var builder = new RecordBatchBuilder();
        byte[] bytes = new EndTransactionMarker(isCommit, 9).Build(builder, 7, 3, 1000).ToArray();
        RecordBatch.TryRead(bytes, out RecordBatch batch);
        Assert.True(batch.IsControl && batch.IsTransactional);
        Assert.True(EndTransactionMarker.TryRead(batch, out EndTransactionMarker marker));
        Assert.Equal(new EndTransactionMarker(isCommit, 9), marker);
    }

    [Theory]
    [InlineData(0L, 1)]
    [InlineData(-1L, 1)]
    [InlineData(63L, 1)]
    [InlineData(64L, 2)]
    [InlineData(int.MaxValue, 5)]
    [InlineData(int.MinValue, 5)]
    [InlineData(long.MaxValue, 10)]
    [InlineData(long.MinValue, 10)]
    public void Numbers_of_variable_length_go_round(long value, int bytes)
    {
        byte[] buffer = new byte[10];
        Assert.Equal(bytes, Varint.Write(buffer, value));
        Assert.Equal(bytes, Varint.BytesOf(value));
        int at = 0;
        Assert.True(Varint.TryReadLong(buffer, ref at, out long read));
        Assert.Equal((value, bytes), (read, at));
        at = 0;
        Assert.Equal(value is >= int.MinValue and <= int.MaxValue, Varint.TryReadInt(buffer, ref at, out int small));
        Assert.True(small == value || value is > int.MaxValue or < int.MinValue);
    }
}
