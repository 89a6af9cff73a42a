using Pillarbox.Model.Records;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>One batch of a stream in words.</summary>
/// <param name="File">The segment, below the data directory.</param>
/// <param name="Position">Where in it the batch begins.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="FirstOffset">Offset of its first record.</param>
/// <param name="LastOffset">Offset of its last record.</param>
/// <param name="Records">How many records it has.</param>
/// <param name="Kind">The compression, and what else is special.</param>
/// <param name="TimestampMaxMs">The largest timestamp, in milliseconds since the Unix epoch.</param>
/// <param name="ProducerId">Who wrote it; -1: nobody that has an id.</param>
public sealed record BatchText(
    string File, long Position, int Bytes, long FirstOffset, long LastOffset, int Records, string Kind,
    long TimestampMaxMs, long ProducerId);

/// <summary>
/// Looks at the streams in the data directory of a stopped node: catalogs, segments, indexes, against what the newest
/// checkpoint says. Changes nothing. Holds the directory's lock, and throws <see cref="StorageException"/> when a node
/// runs on it.
/// </summary>
public static class StreamInspector
{
    /// <summary>Reads and verifies every byte; adds what it finds to the figures of the rest.</summary>
    public static DataFigures Verify(IFileSystem files, string dataDirectory, DataFigures figures)
    {
        using IDisposable held = files.LockDirectory(dataDirectory);
        var run = new StreamInspectorRun(files, dataDirectory.TrimEnd('/'));
        run.All(null);
        return figures with
        {
            Partitions = run.Partitions,
            Problems = [.. figures.Problems, .. run.Problems],
        };
    }

    /// <summary>Visits the good batches of one partition from the one on that holds an offset; returns what is wrong
    /// with it. Throws <see cref="StorageException"/> when there is no such stream.</summary>
    public static IReadOnlyList<DataProblem> Dump(
        IFileSystem files, string dataDirectory, StreamPlace place, Action<BatchText> visit)
    {
        using IDisposable held = files.LockDirectory(dataDirectory);
        var run = new StreamInspectorRun(files, dataDirectory.TrimEnd('/'));
        run.One(place, new Printer(place.Offset, visit));
        return run.Problems;
    }

    private sealed class Printer(long from, Action<BatchText> visit) : IPlacedBatchVisitor
    {
        public void Visit(string file, long position, in RecordBatch batch)
        {
            if (batch.LastOffset >= from)
            {
                visit(new BatchText(
                    file, position, batch.SizeBytes, batch.BaseOffset, batch.LastOffset, batch.Count, KindOf(batch),
                    batch.MaxTimestampMs, batch.ProducerId));
            }
        }

        private static string KindOf(in RecordBatch batch)
        {
            string kind = batch.Compression.ToString().ToLowerInvariant();
            kind += batch.IsTransactional ? " transactional" : "";
            return kind + (batch.IsControl ? " control" : "");
        }
    }
}

/// <summary>Where to begin in a stream.</summary>
/// <param name="Stream">Its name, or its folder.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="Offset">The first offset.</param>
public readonly record struct StreamPlace(string Stream, int Partition, long Offset);

/// <summary>One look at the streams of a data directory. One owner.</summary>
internal sealed class StreamInspectorRun
{
    private readonly IFileSystem _files;
    private readonly string _root;
    private readonly StreamCheckpoint _checkpoint;
    private readonly Dictionary<string, (string Space, StreamDefinition Stream)> _streams = [];
    private readonly List<PartitionFigures> _partitions = [];
    private readonly List<DataProblem> _problems = [];

    public StreamInspectorRun(IFileSystem files, string root)
    {
        _files = files;
        _root = root;
        _checkpoint = StreamCheckpoint.Peek(files, $"{root}/{DataLayout.Checkpoints}");
        foreach (string folder in Folders().Where(IsCatalog))
        {
            ReadCatalog(folder);
        }
    }

    public IReadOnlyList<PartitionFigures> Partitions => _partitions;

    public IReadOnlyList<DataProblem> Problems => _problems;

    public void All(IPlacedBatchVisitor? visitor)
    {
        foreach (string folder in Folders().Where(folder => !IsCatalog(folder)))
        {
            foreach (int number in PartitionInspection.NumbersIn(_files, _root, folder))
            {
                Inspect(folder, number, visitor);
            }

            CheckMissing(folder);
        }

        foreach (string folder in _streams.Keys.Except(Folders()))
        {
            CheckMissing(folder);
        }
    }

    public void One(StreamPlace place, IPlacedBatchVisitor visitor)
    {
        string folder = _streams.FirstOrDefault(stream => stream.Value.Stream.Name == place.Stream).Key
            ?? place.Stream;
        if (!Folders().Contains(folder))
        {
            throw new StorageException($"there is no stream '{place.Stream}' with records");
        }

        _problems.Clear();
        Inspect(folder, place.Partition, visitor);
    }

    private static bool IsCatalog(string folder) =>
        folder.StartsWith(CatalogContent.FolderPrefix, StringComparison.Ordinal);

    private IEnumerable<string> Folders() => _files.ListDirectories($"{_root}/{DataLayout.Streams}")
        .Where(folder => $"{DataLayout.Streams}/{folder}" != DataLayout.Checkpoints);

    private void ReadCatalog(string folder)
    {
        var content = new CatalogContent();
        Inspect(folder, 0, new CatalogVisitor(content));
        string space = folder[CatalogContent.FolderPrefix.Length..];
        foreach (StreamDefinition stream in content.Found)
        {
            _streams[Partition.FolderOf(stream.Id)] = (space, stream);
        }
    }

    private void Inspect(string folder, int number, IPlacedBatchVisitor? visitor)
    {
        var inspection = new PartitionInspection(_files, _root, folder, number);
        PartitionFigures figures = inspection.Run(MarkOf(folder, number), visitor);
        bool isKnown = _streams.TryGetValue(folder, out (string Space, StreamDefinition Stream) stream);
        _partitions.Add(figures with
        {
            Space = isKnown ? stream.Space : null,
            Stream = isKnown ? stream.Stream.Name : null,
        });
        _problems.AddRange(inspection.Problems);
    }

    /// <summary>Partitions of which the checkpoint knows records, and no file is there.</summary>
    private void CheckMissing(string folder)
    {
        if (!_streams.TryGetValue(folder, out (string Space, StreamDefinition Stream) stream))
        {
            return;
        }

        IReadOnlyList<int> numbers = PartitionInspection.NumbersIn(_files, _root, folder);
        for (int number = 0; number < stream.Stream.Partitions; number++)
        {
            if (!numbers.Contains(number) && MarkOf(folder, number) is { Segments.Count: > 0 })
            {
                Inspect(folder, number, null);
            }
        }
    }

    private PartitionMark? MarkOf(string folder, int number) =>
        Guid.TryParseExact(folder, "N", out Guid id) ? _checkpoint.Find(id, number)?.Mark : null;

    private sealed class CatalogVisitor(CatalogContent content) : IPlacedBatchVisitor
    {
        public void Visit(string file, long position, in RecordBatch batch) => content.Visit(batch);
    }
}
