using Pillarbox.Storage.Partitions;

namespace Pillarbox.Storage;

/// <summary>Something in a data directory that is not as it should be.</summary>
/// <param name="File">Path below the data directory.</param>
/// <param name="Position">Log position, or offset, of it; 0 for the whole file.</param>
/// <param name="Length">Bytes that cannot be read.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="IsDamage">False for the torn end of a write, which any crash leaves and a start repairs.</param>
public sealed record DataProblem(string File, long Position, long Length, string Problem, bool IsDamage);

/// <summary>Figures of one segment file.</summary>
/// <param name="File">Name.</param>
/// <param name="BasePosition">First position.</param>
/// <param name="EndPosition">Behind the last record.</param>
/// <param name="FileBytes">Size on disk.</param>
/// <param name="Records">Records that writers appended.</param>
/// <param name="PayloadBytes">Their bytes.</param>
public sealed record SegmentFigures(
    string File, long BasePosition, long EndPosition, long FileBytes, long Records, long PayloadBytes);

/// <summary>Figures of one snapshot file.</summary>
/// <param name="File">Name.</param>
/// <param name="Position">The log position it was taken at.</param>
/// <param name="ContentBytes">Its content.</param>
public sealed record SnapshotFigures(string File, long Position, long ContentBytes);

/// <summary>What a data directory holds.</summary>
public sealed record DataFigures
{
    /// <summary>Segments of the journal, oldest first.</summary>
    public IReadOnlyList<SegmentFigures> Segments { get; init; } = [];

    /// <summary>Snapshots, oldest first.</summary>
    public IReadOnlyList<SnapshotFigures> Snapshots { get; init; } = [];

    /// <summary>Checkpoints of the streams, oldest first.</summary>
    public IReadOnlyList<SnapshotFigures> Checkpoints { get; init; } = [];

    /// <summary>Partitions of streams, by folder and number; whoever knows the catalogs adds them.</summary>
    public IReadOnlyList<PartitionFigures> Partitions { get; init; } = [];

    /// <summary>Large bodies.</summary>
    public long Blobs { get; init; }

    /// <summary>Bytes of large bodies.</summary>
    public long BlobBytes { get; init; }

    /// <summary>Files kept for reuse.</summary>
    public long SpareFiles { get; init; }

    /// <summary>Records in all segments.</summary>
    public long Records => Segments.Sum(segment => segment.Records);

    /// <summary>Problems, damage and torn ends alike.</summary>
    public IReadOnlyList<DataProblem> Problems { get; init; } = [];
}

/// <summary>Looks at the data directory of a stopped node, and changes nothing. Each call holds the directory's lock,
/// and
/// throws <see cref="StorageException"/> when a node runs on it or a newer program wrote it.</summary>
public static class DataInspector
{
    /// <summary>Reads and verifies every byte.</summary>
    public static DataFigures Verify(IFileSystem files, string dataDirectory)
    {
        using IDisposable held = files.LockDirectory(dataDirectory);
        var log = new LogInspection(files, dataDirectory);
        log.Run(0, null);
        var chunks = new ChunkInspection(files, dataDirectory);
        chunks.Run(isWhole: true);
        return Figures(log, chunks);
    }

    /// <summary>Sizes and counts: reads the journal, but of snapshots and large bodies only their headers.</summary>
    public static DataFigures Stat(IFileSystem files, string dataDirectory)
    {
        using IDisposable held = files.LockDirectory(dataDirectory);
        var log = new LogInspection(files, dataDirectory);
        log.Run(0, null);
        var chunks = new ChunkInspection(files, dataDirectory);
        chunks.Run(isWhole: false);
        return Figures(log, chunks);
    }

    /// <summary>Visits the good records of the journal at or above a position; returns the bad places.</summary>
    public static IReadOnlyList<DataProblem> Dump(
        IFileSystem files, string dataDirectory, long from, IRecordVisitor visitor)
    {
        using IDisposable held = files.LockDirectory(dataDirectory);
        var log = new LogInspection(files, dataDirectory);
        log.Run(from, visitor);
        return log.Problems;
    }

    private static DataFigures Figures(LogInspection log, ChunkInspection chunks) => new()
    {
        Segments = log.Segments,
        SpareFiles = log.SpareFiles,
        Snapshots = chunks.Snapshots,
        Checkpoints = chunks.Checkpoints,
        Blobs = chunks.Blobs,
        BlobBytes = chunks.BlobBytes,
        Problems = [.. log.Problems, .. chunks.Problems],
    };
}

/// <summary>Goes through the segments of a journal without changing them.</summary>
internal sealed class LogInspection(IFileSystem files, string dataDirectory)
{
    private readonly string _directory = dataDirectory + "/" + DataLayout.Journal;
    private readonly SegmentScanner _scanner = new();
    private readonly List<(LogDamage Bad, bool IsLast)> _bad = [];
    private long _durable;
    private long _from;

    public List<SegmentFigures> Segments { get; } = [];

    public List<DataProblem> Problems { get; } = [];

    public long SpareFiles { get; private set; }

    public void Run(long from, IRecordVisitor? visitor)
    {
        _from = from;
        SpareFiles = files.List(_directory, SegmentFiles.SpareSuffix).Length;
        List<LogSegment> segments = Open();
        for (int i = 0; i < segments.Count; i++)
        {
            long limit = i + 1 < segments.Count ? segments[i + 1].BasePosition : long.MaxValue;
            Scan(segments[i], limit, visitor);
            segments[i].File!.Dispose();
        }

        foreach ((LogDamage bad, _) in _bad)
        {
            // The same rule as recovery's: what a later marker calls durable is damage, the rest a torn write.
            bool isDamage = _durable > bad.Position;
            string reason = isDamage ? bad.Reason : "the torn end of a write; the next start cuts it";
            Problems.Add(new DataProblem(
                DataLayout.Journal + "/" + bad.Segment, bad.Position, bad.Length, reason, isDamage));
        }
    }

    private List<LogSegment> Open()
    {
        var segments = new List<LogSegment>();
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        foreach (string name in files.List(_directory, SegmentFiles.SegmentSuffix))
        {
            IFile file = files.Open(_directory + "/" + name, FileOpening.Read);
            string? problem = FileHeader.Check(
                header[..file.Read(0, header)], FileKind.Segment, _directory + "/" + name, out long basePosition);
            if (problem is null && SegmentFiles.NameOf(basePosition) != name)
            {
                problem = "its name is not that of its content";
            }

            bool isReadable = problem is null || SegmentFiles.HoldsRecords(file, name, out basePosition);
            if (problem is not null)
            {
                long lost = isReadable ? FileHeader.Bytes : file.Length;
                Problems.Add(new DataProblem(DataLayout.Journal + "/" + name, 0, lost, problem, IsDamage: true));
            }

            if (isReadable)
            {
                segments.Add(new LogSegment(basePosition, file.Length - FileHeader.Bytes) { File = file });
            }
            else
            {
                file.Dispose();
            }
        }

        return segments;
    }

    private void Scan(LogSegment segment, long limit, IRecordVisitor? visitor)
    {
        _scanner.Open(segment, limit);
        string name = SegmentFiles.NameOf(segment.BasePosition);
        long position = segment.BasePosition;
        long records = 0;
        long bytes = 0;
        while (position < _scanner.Limit)
        {
            if (!_scanner.TryRead(position))
            {
                string reason = _scanner.Reason;
                long next = _scanner.FindNext(position + 1);
                if (next < 0)
                {
                    NoteEnd(segment, position, reason, limit);
                    break;
                }

                _bad.Add((new LogDamage(position, next - position, name, reason), false));
                position = next;
                continue;
            }

            RecordHeader header = _scanner.Header;
            if (header.Type == RecordFormat.MarkerType)
            {
                _durable = Math.Max(_durable, _scanner.ReadMarker());
            }
            else if (header.Type <= RecordFormat.TypeMax)
            {
                records++;
                bytes += header.Length;
                Visit(visitor, position);
            }

            position += header.RecordBytes;
            if (header.Type == RecordFormat.SealType)
            {
                break;
            }
        }

        Segments.Add(new SegmentFigures(
            name, segment.BasePosition, position, segment.Capacity + FileHeader.Bytes, records, bytes));
    }

    private void Visit(IRecordVisitor? visitor, long position)
    {
        if (visitor is not null && position >= _from)
        {
            visitor.Visit(new LogRecord
            {
                Position = position,
                Type = _scanner.Header.Type,
                GroupContinues = _scanner.Header.GroupContinues,
                Payload = _scanner.Payload,
            });
        }
    }

    /// <summary>Behind the last record of the last segment lies nothing, or old bytes: that is no problem. Behind
    /// that of
    /// another segment a seal is missing.</summary>
    private void NoteEnd(LogSegment segment, long position, string reason, long limit)
    {
        if (limit != long.MaxValue)
        {
            string name = SegmentFiles.NameOf(segment.BasePosition);
            _bad.Add((new LogDamage(position, _scanner.Limit - position, name, reason), true));
        }
    }
}

/// <summary>Goes through snapshots, checkpoints and large bodies without changing them.</summary>
internal sealed class ChunkInspection(IFileSystem files, string dataDirectory)
{
    private readonly byte[] _slot = new byte[ChunkFile.SlotBytes];

    public List<SnapshotFigures> Snapshots { get; } = [];

    public List<SnapshotFigures> Checkpoints { get; } = [];

    public List<DataProblem> Problems { get; } = [];

    public long Blobs { get; private set; }

    public long BlobBytes { get; private set; }

    public void Run(bool isWhole)
    {
        ReadAll(DataLayout.Snapshots, Snapshots, isWhole);
        ReadAll(DataLayout.Checkpoints, Checkpoints, isWhole);
        foreach (string name in files.List(dataDirectory + "/" + DataLayout.Large, BlobStore.Suffix))
        {
            Blobs++;
            BlobBytes += Read(DataLayout.Large + "/" + name, FileKind.Blob, isWhole)?.Length ?? 0;
        }
    }

    private void ReadAll(string folder, List<SnapshotFigures> into, bool isWhole)
    {
        foreach (string name in files.List(dataDirectory + "/" + folder, SnapshotFile.Suffix))
        {
            if (Read(folder + "/" + name, FileKind.Snapshot, isWhole) is { } reader)
            {
                into.Add(new SnapshotFigures(name, reader.Value, reader.Length));
            }
        }
    }

    private ChunkFileReader? Read(string path, FileKind kind, bool isWhole)
    {
        string full = dataDirectory + "/" + path;
        using IFile file = files.Open(full, FileOpening.Read);
        ChunkFileReader? reader = ChunkFileReader.Open(file, kind, full, out string? problem);
        if (reader is null)
        {
            Problems.Add(new DataProblem(path, 0, file.Length, problem!, IsDamage: true));
        }
        else if (isWhole)
        {
            ReadChunks(reader, path);
        }

        return reader;
    }

    private void ReadChunks(ChunkFileReader reader, string path)
    {
        for (long chunk = 0; chunk < ChunkFile.ChunksOf(reader.Length); chunk++)
        {
            try
            {
                reader.ReadChunk(chunk, _slot);
            }
            catch (StorageException error)
            {
                long offset = chunk * ChunkFile.ChunkBytes;
                Problems.Add(new DataProblem(path, offset, reader.BytesOf(chunk), error.Message, IsDamage: true));
            }
        }
    }
}
