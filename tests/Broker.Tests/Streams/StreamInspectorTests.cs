using Pillarbox.Broker.Streams;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>A stopped node's streams, as <c>data verify</c> and <c>data dump</c> see them.</summary>
public sealed class StreamInspectorTests
{
    private readonly MemoryFileSystem _files = new();

    public StreamInspectorTests()
    {
        using var scene = new StreamScene(_files);
        RecordStream stream = scene.Create("readings", 2);
        for (int i = 0; i < 20; i++)
        {
            scene.Append(stream.Partitions[i % 2], $"a{i}", $"b{i}");
        }

        scene.CreateOne("empty");
    }

    [Fact]
    public void Good_streams_have_figures_and_names()
    {
        DataFigures figures = Verify();
        Assert.Empty(figures.Problems);
        PartitionFigures[] readings = [.. figures.Partitions.Where(partition => partition.Stream == "readings")];
        Assert.Equal([0, 1], readings.Select(partition => partition.Partition));
        Assert.All(readings, partition => Assert.Equal(
            ("default", 10, 20, 20), (partition.Space, partition.Batches, partition.Records, partition.NextOffset)));
        Assert.Contains(figures.Partitions, partition => partition.Folder == "catalog-default");
        Assert.NotEmpty(figures.Checkpoints);
    }

    [Fact]
    public void Damage_in_segments_catalog_and_checkpoints_is_named_by_file_and_place()
    {
        string segment = Segment("readings", 1);
        Flip(segment, 100);
        Flip("data/streams/checkpoints/" + _files.List("data/streams/checkpoints", ".snap")[^1], 90);
        Flip("data/streams/catalog-default/" + _files.List("data/streams/catalog-default", ".log")[0], 70);
        for (int run = 0; run < 2; run++)
        {
            DataFigures figures = Verify();
            Assert.Equivalent(
                new[]
                {
                    "streams/catalog-default", "streams/checkpoints", Path.GetDirectoryName(segment)!["data/".Length..],
                },
                figures.Problems.Select(problem => Path.GetDirectoryName(problem.File)!),
                strict: true);
            Assert.All(figures.Problems, problem => Assert.True(problem.IsDamage));
            DataProblem problem = figures.Problems.Single(problem => "data/" + problem.File == segment);
            Assert.InRange(problem.Position, 1, 100);
            Assert.Contains("checksum", problem.Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Batches_are_told_from_an_offset_on()
    {
        var told = new List<BatchText>();
        Assert.Empty(StreamInspector.Dump(_files, "data", new StreamPlace("readings", 1, 5), told.Add));
        Assert.Equal([4, 6, 8, 10, 12, 14, 16, 18], told.Select(batch => batch.FirstOffset));
        Assert.All(told, batch => Assert.Equal((2, "none"), (batch.Records, batch.Kind)));
        Assert.Throws<StorageException>(() =>
            StreamInspector.Dump(_files, "data", new StreamPlace("nope", 0, 0), told.Add));
    }

    private DataFigures Verify() =>
        StreamInspector.Verify(_files, "data", DataInspector.Verify(_files, "data"));

    private string Segment(string stream, int partition)
    {
        PartitionFigures figures = Verify().Partitions.Single(
            found => found.Stream == stream && found.Partition == partition);
        string folder = "data/streams/" + figures.Folder;
        return folder + "/" + _files.List(folder, ".log").Single(name => name.StartsWith($"{partition}."));
    }

    private void Flip(string path, long at)
    {
        using IFile file = _files.Open(path, FileOpening.ReadWrite);
        byte[] one = new byte[1];
        file.Read(at, one);
        file.Write(at, [(byte)(one[0] ^ 4)]);
    }
}
