using System.Text;

namespace Pillarbox.Storage.Tests;

public sealed class DataInspectorTests
{
    private readonly MemoryFileSystem _files = new();

    public DataInspectorTests()
    {
        using (SegmentedLog log = SegmentedLog.Open(_files, "data/journal", LogTesting.Small))
        {
            log.Replay(0, new RecordList());
            for (int i = 0; i < 100; i++)
            {
                log.AppendText($"record {i} {new string('i', 60)}");
                if (i % 10 == 0)
                {
                    log.Flush();
                }
            }
        }

        using (SnapshotWriter snapshot = SnapshotFile.Create(_files, "data/snapshots", 64))
        {
            snapshot.Write(new byte[100_000]);
            snapshot.Complete();
        }

        using BlobStore blobs = BlobStore.Open(_files, "data/large");
        using BlobWriter blob = blobs.Create();
        blob.Write(new byte[200_000]);
        blob.Complete();
    }

    [Fact]
    public void AHealthyDirectoryHasFiguresAndNoProblems()
    {
        DataFigures figures = DataInspector.Verify(_files, "data");
        Assert.Empty(figures.Problems);
        Assert.Equal(100, figures.Records);
        Assert.InRange(figures.Segments.Count, 2, 5);
        Assert.All(figures.Segments, segment => Assert.True(segment.EndPosition > segment.BasePosition));
        SnapshotFigures snapshot = Assert.Single(figures.Snapshots);
        Assert.Equal(64, snapshot.Position);
        Assert.Equal(100_000, snapshot.ContentBytes);
        Assert.Equal(1, figures.Blobs);
        Assert.Equal(200_000, figures.BlobBytes);
        Assert.Equal(figures.Records, DataInspector.Stat(_files, "data").Records);
    }

    [Fact]
    public void DumpVisitsWhatReplayVisits()
    {
        var dumped = new RecordList();
        Assert.Empty(DataInspector.Dump(_files, "data", 0, dumped));
        var replayed = new RecordList();
        using SegmentedLog log = SegmentedLog.Open(_files, "data/journal", LogTesting.Small);
        log.Replay(0, replayed);
        Assert.Equal(replayed.Seen, dumped.Seen);
        var rest = new RecordList();
        DataInspector.Dump(_files, "data", replayed.Seen[40].Position, rest);
        Assert.Equal(replayed.Seen.Skip(40), rest.Seen);
    }

    [Fact]
    public void DamageIsNamedAndNothingIsChanged()
    {
        var list = new RecordList();
        DataInspector.Dump(_files, "data", 0, list);
        long position = list.Seen[3].Position;
        string segment = "data/journal/" + _files.List("data/journal", ".seg")[0];
        Bits.Flip(_files, segment, FileHeader.Bytes + position - SegmentedLog.FirstPosition + 30, 1);
        Bits.Flip(_files, "data/snapshots/0000000000000040.snap", 70_000, 1);
        Bits.Flip(_files, "data/large/0000000000000001.blob", 70_000, 1);
        for (int run = 0; run < 2; run++)
        {
            DataFigures figures = DataInspector.Verify(_files, "data");
            Assert.Equal(99, figures.Records);
            Assert.Equal(3, figures.Problems.Count);
            Assert.All(figures.Problems, problem => Assert.True(problem.IsDamage));
            Assert.Equal(position, figures.Problems[0].Position);
        }
    }

    [Fact]
    public void RecordsBehindABadHeaderAreRead()
    {
        string name = _files.List("data/journal", ".seg")[1];
        Bits.Flip(_files, "data/journal/" + name, 20, 1);
        DataFigures figures = DataInspector.Verify(_files, "data");
        Assert.Equal(100, figures.Records);
        DataProblem problem = Assert.Single(figures.Problems);
        Assert.Equal(("journal/" + name, FileHeader.Bytes, true), (problem.File, problem.Length, problem.IsDamage));
    }

    [Fact]
    public void ATornEndIsNoDamage()
    {
        SegmentedLog log = SegmentedLog.Open(_files, "data/journal", LogTesting.Small);
        log.Replay(0, new RecordList());
        long position = log.AppendText("torn");
        log.AppendText("whole");
        log.Flush();
        string name = _files.List("data/journal", ".seg")[^1];
        long start = LogTesting.BaseOf(name);
        Bits.Flip(_files, "data/journal/" + name, FileHeader.Bytes + position - start + 12, 1);
        DataProblem problem = Assert.Single(DataInspector.Verify(_files, "data").Problems);
        Assert.False(problem.IsDamage);
        Assert.Equal(position, problem.Position);
    }

    [Fact]
    public void ARunningNodeIsLeftAlone()
    {
        using IDisposable node = _files.LockDirectory("data");
        Assert.Throws<StorageException>(() => DataInspector.Verify(_files, "data"));
    }

    [Fact]
    public void RecordsCarryTheirBytes()
    {
        var list = new RecordList();
        DataInspector.Dump(_files, "data", 0, list);
        Assert.StartsWith("record 7 ", list.Seen[7].Text, StringComparison.Ordinal);
        Assert.Equal(69, Encoding.UTF8.GetByteCount(list.Seen[7].Text));
    }
}
