using System.Buffers;
using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

public sealed class FormatTests
{
    [Fact]
    public void TheChecksumIsTheStandardOne() =>
        Assert.Equal(0xE3069283, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void TheChecksumOfAnyLengthIsThatOfItsBytesOneByOne()
    {
        byte[] bytes = new byte[5000];
        new SeededRandom(1).Fill(bytes);
        for (int length = 0; length < bytes.Length; length += length < 900 ? 1 : 97)
        {
            uint expected = Crc32C.Seed;
            foreach (byte single in bytes.AsSpan(0, length))
            {
                expected = System.Numerics.BitOperations.Crc32C(expected, single);
            }

            Assert.Equal(expected, Crc32C.Append(Crc32C.Seed, bytes.AsSpan(0, length)));
        }
    }

    [Fact]
    public void ARecordIsValidOnlyAtItsOwnPosition()
    {
        byte[] record = MakeRecord(position: 1000);
        Assert.True(IsValid(record, 1000));
        Assert.False(IsValid(record, 1001));
        Assert.False(IsValid(record, 0));
    }

    [Fact]
    public void AnyChangedBitMakesARecordInvalid()
    {
        byte[] record = MakeRecord(position: 1000);
        for (int i = 0; i < record.Length * 8; i++)
        {
            record[i / 8] ^= (byte)(1 << (i % 8));
            Assert.False(IsValid(record, 1000));
            record[i / 8] ^= (byte)(1 << (i % 8));
        }
    }

    [Fact]
    public void ZerosAreNoRecord() => Assert.False(IsValid(new byte[100], 0));

    [Fact]
    public void ABatchTakesItsBytesInPieces()
    {
        var batch = new LogBatch(1);
        batch.Begin(4);
        batch.Write("ab"u8);
        "cd"u8.CopyTo(batch.GetSpan(2));
        batch.Advance(2);
        batch.Write(new ReadOnlySequence<byte>("ef"u8.ToArray()));
        "g"u8.CopyTo(batch.GetMemory(1).Span);
        batch.Advance(1);
        Assert.Equal(0, batch.Bytes);
        Assert.Equal(0, batch.End());
        Assert.Equal(RecordFormat.HeaderBytes + 7, batch.Bytes);
        Assert.Equal("abcdefg", Encoding.ASCII.GetString(batch.Buffer[RecordFormat.HeaderBytes..batch.Bytes]));
        batch.Begin(5);
        batch.Write(new byte[500]);
        batch.Abandon();
        Assert.Equal(1, batch.Count);
        Assert.Equal(RecordFormat.HeaderBytes + 7, batch.Bytes);
        batch.Clear();
        Assert.Equal(0, batch.Count);
        Assert.Equal(0, batch.Bytes);
    }

    [Fact]
    public void ABatchRefusesMisuse()
    {
        var batch = new LogBatch();
        Assert.Throws<InvalidOperationException>(() => batch.End());
        Assert.Throws<InvalidOperationException>(() => batch.Begin(0));
        Assert.Throws<InvalidOperationException>(() => batch.Begin(RecordFormat.TypeMax + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Advance(1));
        batch.Begin(1);
        Assert.Throws<InvalidOperationException>(() => batch.Begin(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Advance(1_000_000));
    }

    [Fact]
    public void OptionsOutOfRangeAreRefused()
    {
        var files = new MemoryFileSystem();
        LogOptions[] wrong =
        [
            LogTesting.Small with { SegmentBytes = 100 },
            LogTesting.Small with { BlockBytes = 8192 },
            LogTesting.Small with { BlockBytes = 100 },
            LogTesting.Small with { ReserveSegments = 17 },
            LogTesting.Small with { PoolSegmentsMax = 0 },
            LogTesting.Small with { ReadAheadBytes = 0 },
            LogTesting.Small with { PendingBytesMax = 0 },
        ];
        foreach (LogOptions options in wrong)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => SegmentedLog.Open(files, "log", options));
        }
    }

    private static byte[] MakeRecord(long position)
    {
        byte[] payload = Encoding.ASCII.GetBytes("some payload");
        byte[] record = new byte[RecordFormat.HeaderBytes + payload.Length];
        payload.CopyTo(record, RecordFormat.HeaderBytes);
        RecordFormat.WriteDraft(record, payload.Length, 7, Crc32C.Append(Crc32C.Seed, payload));
        RecordFormat.Finish(record, position, 0);
        return record;
    }

    private static bool IsValid(ReadOnlySpan<byte> record, long position) =>
        RecordFormat.TryReadHeader(record, position, out RecordHeader header)
        && header.RecordBytes <= record.Length
        && RecordFormat.Verify(header, record[RecordFormat.HeaderBytes..header.RecordBytes], position);
}
