namespace Pillarbox.Storage.Tests;

public sealed class RecoveryTests
{
    private MemoryFileSystem _files = new();

    [Fact]
    public void ATornTailIsCutAndReported()
    {
        Fill(count: 10, dispose: false, out long lastPosition);
        FlipBit(lastPosition, RecordFormat.HeaderBytes + 2);
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out RecoveryReport report);
        Assert.Equal(9, list.Seen.Count);
        Assert.Empty(report.Damages);
        Assert.True(report.TornBytes > 0);
        Assert.Equal(lastPosition, report.TailPosition);
        Assert.Equal(lastPosition, log.AppendText("instead"));
    }

    [Fact]
    public void WhatWasCutNeverComesBack()
    {
        // The record before the last is bad, the last is good and lies where the next append but one will end.
        Fill(count: 10, dispose: false, out long lastPosition);
        long bad = Positions()[8];
        FlipBit(bad, 0);
        using (SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out _, out RecoveryReport report))
        {
            Assert.Equal(1, report.TornRecords);
            Assert.Equal(bad, log.AppendText(TextOf(8)));
            Assert.Equal(lastPosition, log.TailPosition);
            log.Flush();
        }

        using SegmentedLog again = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out _);
        Assert.Equal(9, list.Seen.Count);
    }

    [Fact]
    public void DamageInTheMiddleIsReportedAndTheRestIsThere()
    {
        Fill(count: 200, dispose: true, out _);
        long[] positions = Positions();
        FlipBit(positions[50], RecordFormat.HeaderBytes + 3);
        FlipBit(positions[120], 1);
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out RecoveryReport report);
        Assert.Equal(
            Enumerable.Range(0, 200).Where(i => i is not 50 and not 120).Select(TextOf), list.Texts);
        Assert.Equal([positions[50], positions[120]], report.Damages.Select(damage => damage.Position));
        Assert.All(report.Damages, damage => Assert.Equal(RecordBytes, damage.Length));
        Assert.All(report.Damages, damage => Assert.EndsWith(".seg", damage.Segment, StringComparison.Ordinal));
        Assert.Equal(0, report.TornBytes);
        Assert.True(report.TailPosition > positions[^1]);
    }

    [Fact]
    public async Task ADamagedRecordIsNamedWhenItIsRead()
    {
        Fill(count: 200, dispose: true, out _);
        long position = Positions()[50];
        FlipBit(position, RecordFormat.HeaderBytes);
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out _, out _);
        DamagedRecordException error = await Assert.ThrowsAsync<DamagedRecordException>(
            () => log.ReadTextAsync(position));
        Assert.Equal(position, error.Position);
        Assert.Equal(TextOf(51), await log.ReadTextAsync(Positions()[51]));
    }

    [Fact]
    public void AMissingSegmentIsReported()
    {
        Fill(count: 200, dispose: true, out _);
        long[] positions = Positions();
        string[] names = _files.List("log", ".seg");
        long from = LogTesting.BaseOf(names[1]);
        long until = LogTesting.BaseOf(names[2]);
        _files.Delete("log/" + names[1]);
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out RecoveryReport report);
        LogDamage damage = Assert.Single(report.Damages);
        Assert.Equal(from, damage.Position);
        Assert.Equal(until - from, damage.Length);
        Assert.Equal(positions.Count(position => position < from || position >= until), list.Seen.Count);
    }

    [Fact]
    public void ASegmentWhoseHeaderAloneIsBadLosesNoRecord()
    {
        Fill(count: 200, dispose: true, out _);
        string[] names = _files.List("log", ".seg");
        foreach (string name in names)
        {
            Flip("log/" + name, offset: 17, bit: 3);
        }

        using (_files.OpenAndReplay(LogTesting.Small, out RecordList list, out RecoveryReport report))
        {
            Assert.Equal(Enumerable.Range(0, 200).Select(TextOf), list.Texts);
            Assert.Equal(names, report.Damages.Select(damage => damage.Segment));
            Assert.All(report.Damages, damage => Assert.Equal(0, damage.Length));
            Assert.Empty(report.Quarantined);
        }

        using SegmentedLog again = _files.OpenAndReplay(LogTesting.Small, out _, out RecoveryReport second);
        Assert.Empty(second.Damages);
    }

    [Fact]
    public void ASegmentWithoutAHeaderOrARecordIsSetAside()
    {
        Fill(count: 200, dispose: true, out _);
        string name = _files.List("log", ".seg")[1];
        Wreck("log/" + name);
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out RecoveryReport report);
        Assert.Equal([name], report.Quarantined);
        Assert.True(_files.Exists("log/" + name + ".damaged"));
        Assert.Single(report.Damages);
        Assert.InRange(list.Seen.Count, 100, 199);
        Assert.True(report.TailPosition > Positions()[^1]);
    }

    [Fact]
    public void PositionsOfALastSegmentThatWasSetAsideAreNotUsedAgain()
    {
        Fill(count: 200, dispose: true, out long lastPosition);
        string name = _files.List("log", ".seg")[^1];
        Wreck("log/" + name);
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out _, out RecoveryReport report);
        Assert.Equal([name], report.Quarantined);
        Assert.True(log.AppendText("next") > lastPosition);
    }

    [Fact]
    public void ReplayBeginsWhereItIsTold()
    {
        Fill(count: 200, dispose: true, out _);
        long from = Positions()[77];
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out _, from);
        Assert.Equal(Enumerable.Range(77, 123).Select(TextOf), list.Texts);
    }

    [Fact]
    public void AnEmptyLogAfterASnapshotKeepsItsPlace()
    {
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out _, out RecoveryReport report, from: 5000);
        Assert.Single(report.Damages);
        Assert.Equal(5000, log.AppendText("next"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AGroupWithoutItsEndIsDropped(bool isGroup)
    {
        using (SegmentedLog log = _files.OpenEmpty(LogTesting.Small))
        {
            log.AppendText("before");
            log.Flush();
        }

        SegmentedLog crashed = _files.OpenEmpty(LogTesting.Small);
        var batch = new LogBatch { Group = isGroup };
        batch.Add(1, "one"u8);
        batch.Add(1, "two"u8);
        int last = batch.Add(1, "three"u8);
        long position = crashed.Append(batch);
        crashed.Flush();
        FlipBit(position + last, RecordFormat.HeaderBytes);
        using SegmentedLog log2 = _files.OpenAndReplay(
            LogTesting.Small, out RecordList list, out RecoveryReport report);
        Assert.Equal(isGroup ? ["before"] : ["before", "one", "two"], list.Texts);
        Assert.Equal(isGroup ? 2 : 0, report.IncompleteGroupRecords);
        Assert.Equal(isGroup ? position : position + last, report.TailPosition);
    }

    [Fact]
    public void ADurableGroupWithDamageInsideIsReportedNotDropped()
    {
        long position;
        int second;
        using (SegmentedLog log = _files.OpenEmpty(LogTesting.Small))
        {
            var batch = new LogBatch { Group = true };
            batch.Add(1, "one"u8);
            second = batch.Add(1, "two"u8);
            batch.Add(1, "three"u8);
            position = log.Append(batch);
            log.AppendText("after");
        }

        FlipBit(position + second, RecordFormat.HeaderBytes);
        using SegmentedLog again = _files.OpenAndReplay(
            LogTesting.Small, out RecordList list, out RecoveryReport report);
        Assert.Equal(["one", "three", "after"], list.Texts);
        Assert.Equal(position + second, Assert.Single(report.Damages).Position);
    }

    [Fact]
    public void ANewerFormatIsRefusedWithAText()
    {
        Fill(count: 20, dispose: true, out _);
        string path = "log/" + _files.List("log", ".seg")[0];
        byte[] header = new byte[FileHeader.Bytes];
        FileHeader.Write(header, FileKind.Segment, SegmentedLog.FirstPosition, version: 2);
        using (IFile file = _files.Open(path, FileOpening.ReadWrite))
        {
            file.Write(0, header);
        }

        StorageException error = Assert.Throws<StorageException>(() => _files.OpenEmpty(LogTesting.Small));
        Assert.Contains("format 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("start the newer program", error.Message, StringComparison.Ordinal);
        Assert.True(_files.Exists(path));
    }

    [Fact]
    public void UnconfirmedLastBytesAreTornButConfirmedOnesAreDamage()
    {
        Fill(count: 10, dispose: true, out long lastPosition);
        FlipBit(lastPosition, RecordFormat.HeaderBytes);
        using SegmentedLog log = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out RecoveryReport report);
        Assert.Equal(9, list.Seen.Count);
        Assert.Equal(lastPosition, Assert.Single(report.Damages).Position);
    }

    private static int RecordBytes => RecordFormat.HeaderBytes + TextOf(0).Length;

    private static string TextOf(int i) => $"record {i:000000} {new string((char)('a' + (i % 26)), 60)}";

    private long[] Positions()
    {
        var list = new RecordList();
        using SegmentedLog log = SegmentedLog.Open(_whole!.Copy(), "log", LogTesting.Small);
        log.Replay(0, list);
        return list.Seen.Select(record => record.Position).ToArray();
    }

    private MemoryFileSystem? _whole;

    /// <summary>Writes records; without dispose as a crash leaves them: the last flush is not confirmed by a
    /// marker.</summary>
    private void Fill(int count, bool dispose, out long lastPosition)
    {
        SegmentedLog log = _files.OpenEmpty(LogTesting.Small);
        lastPosition = 0;
        for (int i = 0; i < count; i++)
        {
            lastPosition = log.AppendText(TextOf(i));
            if (i % 5 == 4 && i < count - 6)
            {
                log.Flush();
            }
        }

        log.Flush();
        if (dispose)
        {
            log.Dispose();
        }

        _files = _files.Copy();
        _whole = _files.Copy();
    }

    private void FlipBit(long position, int offset)
    {
        string name = _files.List("log", ".seg")
            .Last(name => LogTesting.BaseOf(name) <= position);
        long segment = LogTesting.BaseOf(name);
        Flip("log/" + name, FileHeader.Bytes + (position - segment) + offset, bit: 1);
    }

    private void Wreck(string path)
    {
        using IFile file = _files.Open(path, FileOpening.ReadWrite);
        byte[] other = new byte[file.Length];
        Array.Fill(other, (byte)0xee);
        file.Write(0, other);
    }

    private void Flip(string path, long offset, int bit) => Bits.Flip(_files, path, offset, bit);
}
