using System.Globalization;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Storage.Tests.Partitions;

/// <summary>What a look at the files of a stopped partition tells.</summary>
public sealed class PartitionInspectionTests
{
    private readonly MemoryFileSystem _files = new();
    private readonly PartitionMark _mark;
    private readonly int _batchBytes = PartitionTesting.Batch(0).Length;

    public PartitionInspectionTests()
    {
        using PartitionStore store = PartitionStore.Open(
            _files, "data/streams", new PartitionStoreOptions { OwnThread = false });
        PartitionLog log = store.OpenLog(
            new PartitionPlace("s", 3), PartitionTesting.Small, new BatchList(), out _);
        for (int i = 0; i < 60; i++)
        {
            log.Append(PartitionTesting.Batch(i), 0);
        }

        store.Flush();
        log.SaveIndexes();
        _mark = log.Mark();
    }

    [Fact]
    public void Good_files_are_counted()
    {
        var visitor = new Places();
        var inspection = new PartitionInspection(_files, "data", "s", 3);
        PartitionFigures figures = inspection.Run(_mark, visitor);
        Assert.Empty(inspection.Problems);
        Assert.Equal((60, 60, 0, 60), (figures.Batches, figures.Records, figures.StartOffset, figures.NextOffset));
        Assert.Equal(_mark.Segments.Count, figures.Segments);
        Assert.Equal(60 * _batchBytes, figures.Bytes);
        Assert.Equal(Enumerable.Range(0, 60).Select(number => (long)number), visitor.Offsets);
        Assert.Equal([3], PartitionInspection.NumbersIn(_files, "data", "s"));
    }

    [Fact]
    public void Any_flipped_bit_of_any_file_is_named_and_nothing_is_changed()
    {
        var random = new SeededRandom(7);
        foreach (string name in _files.List("data/streams/s", ""))
        {
            string path = "data/streams/s/" + name;
            long length = _files.DataOf(path).Length;
            for (int i = 0; i < 150; i++)
            {
                long at = random.Next((int)length);
                if (name.EndsWith(".log", StringComparison.Ordinal) && IsOutsideOfChecksum(at % _batchBytes))
                {
                    continue;
                }

                Bits.Flip(_files, path, at, i % 8);
                var inspection = new PartitionInspection(_files, "data", "s", 3);
                inspection.Run(_mark);
                DataProblem problem = Assert.Single(inspection.Problems);
                Assert.Equal("streams/s/" + name, problem.File);
                Assert.Equal(name.EndsWith(".log", StringComparison.Ordinal), problem.IsDamage);
                Assert.InRange(problem.Position, 0, at);
                Bits.Flip(_files, path, at, i % 8);
            }
        }
    }

    [Fact]
    public void Behind_the_mark_it_may_be_a_torn_write()
    {
        _files.Delete("data/streams/" + DurableMarks.Name);
        string path = LastSegment();
        Bits.Flip(_files, path, _files.DataOf(path).Length - 1, 1);
        var inspection = new PartitionInspection(_files, "data", "s", 3);
        PartitionFigures figures = inspection.Run(_mark with
        {
            NextOffset = 59,
            Segments = [.. _mark.Segments.SkipLast(1), _mark.Segments[^1] with
            {
                SizeBytes = _mark.Segments[^1].SizeBytes - _batchBytes, NextOffset = 59,
            }],
        });
        DataProblem problem = Assert.Single(inspection.Problems);
        Assert.False(problem.IsDamage);
        Assert.Equal(_batchBytes, problem.Length);
        Assert.Equal(59, figures.Batches);
    }

    [Fact]
    public void Files_that_are_short_or_gone_are_named()
    {
        string path = LastSegment();
        using (IFile file = _files.Open(path, FileOpening.ReadWrite))
        {
            file.SetLength(file.Length - 5);
        }

        var inspection = new PartitionInspection(_files, "data", "s", 3);
        inspection.Run(_mark);
        Assert.All(inspection.Problems, problem => Assert.True(problem.IsDamage));
        Assert.Contains(inspection.Problems, problem => problem.Problem.Contains("and had", StringComparison.Ordinal));

        _files.Delete(path);
        inspection = new PartitionInspection(_files, "data", "s", 3);
        inspection.Run(_mark);
        DataProblem missing = Assert.Single(inspection.Problems);
        Assert.Equal(("the file is missing", true), (missing.Problem, missing.IsDamage));
    }

    [Fact]
    public void A_segment_that_is_missing_in_front_is_a_gap()
    {
        string[] names = _files.List("data/streams/s", ".log");
        _files.Delete("data/streams/s/" + names[1]);
        var inspection = new PartitionInspection(_files, "data", "s", 3);
        inspection.Run(null);
        DataProblem gap = Assert.Single(inspection.Problems);
        Assert.Equal("streams/s/" + names[2], gap.File);
        Assert.StartsWith("it begins at offset ", gap.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_that_points_beside_its_batches_is_damage()
    {
        string[] names = _files.List("data/streams/s", ".index");
        string path = "data/streams/s/" + names[0];
        byte[] bytes = new byte[_files.DataOf(path).Length];
        using IFile file = _files.Open(path, FileOpening.ReadWrite);
        file.Read(0, bytes);
        bytes[12 + 16 + 4]++;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(
            bytes.AsSpan(bytes.Length - 4), Crc32C.Compute(bytes.AsSpan(0, bytes.Length - 4)));
        file.Write(0, bytes);
        var inspection = new PartitionInspection(_files, "data", "s", 3);
        inspection.Run(_mark);
        DataProblem problem = Assert.Single(inspection.Problems);
        Assert.Equal(("streams/s/" + names[0], true), (problem.File, problem.IsDamage));
        Assert.Contains("entry 1 says offset", problem.Problem, StringComparison.Ordinal);
    }

    // Base offset and leader epoch of a batch are not covered by its checksum: the first is checked by its order,
    // the second has no meaning for one node. A length or a format that is wrong is no batch at all.
    private static bool IsOutsideOfChecksum(long within) => within is < 8 or (>= 12 and < 16);

    private string LastSegment() => "data/streams/s/" + PartitionSegment.NameOf(
        3, long.Parse(_files.List("data/streams/s", ".log")[^1][2..22], CultureInfo.InvariantCulture), ".log");

    private sealed class Places : IPlacedBatchVisitor
    {
        public List<long> Offsets { get; } = [];

        public void Visit(string file, long position, in RecordBatch batch)
        {
            Assert.StartsWith("streams/s/3.", file, StringComparison.Ordinal);
            Offsets.Add(batch.BaseOffset);
        }
    }
}
