using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

public sealed class SnapshotFileTests
{
    private readonly MemoryFileSystem _files = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65535)]
    [InlineData(65536)]
    [InlineData(65537)]
    [InlineData(1_000_000)]
    public void ContentIsReadBackAsOneStream(int length)
    {
        byte[] content = new byte[length];
        new SeededRandom(3).Fill(content);
        Write(777, content);
        using SnapshotReader? reader = SnapshotFile.OpenNewest(_files, "snapshots").Reader;
        Assert.NotNull(reader);
        Assert.Equal(777, reader.Position);
        Assert.Equal(length, reader.Length);
        byte[] read = new byte[length + 10];
        int total = 0;
        for (int count; (count = reader.Read(read.AsSpan(total, Math.Min(1000, read.Length - total)))) > 0;)
        {
            total += count;
        }

        Assert.Equal(length, total);
        Assert.True(content.AsSpan().SequenceEqual(read.AsSpan(0, length)));
    }

    [Fact]
    public void TheNewestTwoAreKept()
    {
        Assert.Equal(0, SnapshotFile.OldestPosition(_files, "snapshots"));
        Write(100, [1]);
        Assert.Equal(0, SnapshotFile.OldestPosition(_files, "snapshots"));
        Write(200, [2]);
        Assert.Equal(100, SnapshotFile.OldestPosition(_files, "snapshots"));
        Write(300, [3]);
        Assert.Equal(200, SnapshotFile.OldestPosition(_files, "snapshots"));
        Assert.Equal(2, _files.List("snapshots", "").Length);
    }

    [Fact]
    public void ADamagedOneIsSetAsideAndTheOlderOneIsUsed()
    {
        Write(100, [1]);
        Write(200, new byte[200_000]);
        Bits.Flip(_files, "snapshots/00000000000000c8.snap", 100_000, 4);
        SnapshotSearch search = SnapshotFile.OpenNewest(_files, "snapshots");
        Assert.Equal(100, search.Reader!.Position);
        Assert.Contains("00000000000000c8.snap", Assert.Single(search.Damaged), StringComparison.Ordinal);
        search.Reader.Dispose();
        Assert.True(_files.Exists("snapshots/00000000000000c8.snap.damaged"));
        Assert.Equal(0, SnapshotFile.OldestPosition(_files, "snapshots"));
        Assert.Empty(SnapshotFile.OpenNewest(_files, "snapshots").Damaged);
    }

    [Fact]
    public void ATruncatedOneIsDamaged()
    {
        Write(100, new byte[200_000]);
        using (IFile file = _files.Open("snapshots/0000000000000064.snap", FileOpening.ReadWrite))
        {
            file.SetLength(100_000);
        }

        Assert.Null(SnapshotFile.OpenNewest(_files, "snapshots").Reader);
    }

    [Fact]
    public void AnUnfinishedOneLeavesNothing()
    {
        using (SnapshotWriter writer = SnapshotFile.Create(_files, "snapshots", 100))
        {
            writer.Write(new byte[100_000]);
        }

        Assert.Empty(_files.List("snapshots", ""));
    }

    [Fact]
    public void ANewerFormatIsRefused()
    {
        Write(100, [1]);
        byte[] header = new byte[FileHeader.Bytes];
        FileHeader.Write(header, FileKind.Snapshot, 100, version: 9);
        using (IFile file = _files.Open("snapshots/0000000000000064.snap", FileOpening.ReadWrite))
        {
            file.Write(0, header);
        }

        Assert.Contains(
            "format 9",
            Assert.Throws<StorageException>(() => SnapshotFile.OpenNewest(_files, "snapshots")).Message,
            StringComparison.Ordinal);
    }

    private void Write(long position, byte[] content)
    {
        using SnapshotWriter writer = SnapshotFile.Create(_files, "snapshots", position);
        foreach (byte[] part in content.Chunk(7000))
        {
            writer.Write(part);
        }

        writer.Complete();
    }
}
