using Pillarbox.Storage.Partitions;

namespace Pillarbox.Storage.Tests.Partitions;

/// <summary>What a start with many partitions does not do.</summary>
public sealed class PartitionStartTests
{
    private const int Partitions = 50;

    [Fact]
    public void A_partition_that_its_mark_knows_to_the_last_byte_is_not_opened()
    {
        var files = new MemoryFileSystem();
        PartitionMark[] marks = Fill(files);
        using (PartitionStore store = files.OpenStore())
        {
            store.OpenLog(7, out _, out _, marks[7]).Append(PartitionTesting.Batch(1000), 0);
        }

        var counting = new CountingFiles(files);
        using PartitionStore again = counting.OpenStore();
        var logs = new PartitionLog[Partitions];
        for (int number = 0; number < Partitions; number++)
        {
            logs[number] = again.OpenLog(number, out BatchList found, out PartitionReport report, marks[number]);
            Assert.Equal(number == 7 ? [1000] : [], found.Numbers);
            Assert.Empty(report.Damages);
        }

        Assert.Equal("streams/s/7.00000000000000000000.log", Assert.Single(counting.Opened));
        Assert.Equal(1, counting.Listings);
        for (int number = 0; number < Partitions; number++)
        {
            Assert.Equal(number == 7 ? [number, 1000] : [number], logs[number].ReadNumbers(0));
        }
    }

    [Fact]
    public void One_that_is_shorter_than_its_mark_says_is_read_and_told()
    {
        var files = new MemoryFileSystem();
        PartitionMark[] marks = Fill(files);
        using (IFile file = files.Open("streams/s/3.00000000000000000000.log", FileOpening.ReadWrite))
        {
            file.SetLength(file.Length - 1);
        }

        using PartitionStore store = files.OpenStore();
        PartitionLog log = store.OpenLog(3, out _, out PartitionReport report, marks[3]);
        Assert.NotEmpty(report.Damages);
        Assert.Equal(1, log.NextOffset);
    }

    private static PartitionMark[] Fill(MemoryFileSystem files)
    {
        using PartitionStore store = files.OpenStore();
        PartitionLog[] logs = [.. Enumerable.Range(0, Partitions).Select(n => store.OpenLog(n, out _, out _))];
        for (int number = 0; number < Partitions; number++)
        {
            logs[number].Append(PartitionTesting.Batch(number), 0);
        }

        store.Flush();
        return [.. logs.Select(log => log.Mark())];
    }

    /// <summary>Says which segments were opened, and how often a folder was listed.</summary>
    private sealed class CountingFiles(IFileSystem inner) : PassingFiles(inner)
    {
        public List<string> Opened { get; } = [];

        public int Listings { get; private set; }

        public override IFile Open(string path, FileOpening opening)
        {
            if (path.EndsWith(".log", StringComparison.Ordinal))
            {
                Opened.Add(path);
            }

            return base.Open(path, opening);
        }

        public override string[] List(string directory, string suffix)
        {
            Listings += suffix == ".log" ? 1 : 0;
            return base.List(directory, suffix);
        }
    }
}
