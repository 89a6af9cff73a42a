using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>Figures of one partition of a stream.</summary>
/// <param name="Folder">The stream's folder below <see cref="DataLayout.Streams"/>.</param>
/// <param name="Partition">The partition's number.</param>
public sealed record PartitionFigures(string Folder, int Partition)
{
    /// <summary>The address space; null when no catalog names the folder.</summary>
    public string? Space { get; init; }

    /// <summary>The stream's name; null when no catalog names the folder.</summary>
    public string? Stream { get; init; }

    /// <summary>Segment files.</summary>
    public int Segments { get; init; }

    /// <summary>Whole batches.</summary>
    public long Batches { get; init; }

    /// <summary>Their records.</summary>
    public long Records { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>The first offset; 0 when there is no segment.</summary>
    public long StartOffset { get; init; }

    /// <summary>The offset behind the last record.</summary>
    public long NextOffset { get; init; }
}

/// <summary>Sees the good batches of a partition, in order, with their places.</summary>
public interface IPlacedBatchVisitor
{
    /// <summary>A whole batch; its bytes are valid during the call only.</summary>
    /// <param name="file">The segment, below the data directory.</param>
    /// <param name="position">Where in it the batch begins.</param>
    /// <param name="batch">The batch.</param>
    void Visit(string file, long position, in RecordBatch batch);
}

/// <summary>
/// Goes through the segments of one partition, every byte of them, without changing anything. Below a mark that says
/// how far the partition surely had come, and in front of a later segment, whatever is wrong is damage; behind it may
/// be the torn end of a write. One owner, one run.
/// </summary>
public sealed class PartitionInspection(IFileSystem files, string root, string folder, int partition)
{
    private const string Torn = "the torn end of a write; the next start cuts it";
    private readonly string _folder = DataLayout.Streams + "/" + folder;
    private readonly List<DataProblem> _problems = [];
    private PartitionMark? _mark;
    private IPlacedBatchVisitor? _visitor;
    private PartitionFigures _figures = new(folder, partition);
    private long _nextOffset;
    private string _reason = "";

    /// <summary>The offset below which it was surely durable, as far as a node has noted it.</summary>
    private readonly long _durable =
        DurableMarks.Open(files, $"{root}/{DataLayout.Streams}").Find(folder, partition);

    /// <summary>What is wrong.</summary>
    public IReadOnlyList<DataProblem> Problems => _problems;

    /// <summary>Numbers of the partitions that have files in a stream's folder.</summary>
    public static IReadOnlyList<int> NumbersIn(IFileSystem files, string root, string folder)
    {
        var numbers = new SortedSet<int>();
        foreach (string name in files.List($"{root}/{DataLayout.Streams}/{folder}", PartitionSegment.LogSuffix))
        {
            if (PartitionSegment.TryParseName(name, PartitionSegment.LogSuffix, out int number, out _))
            {
                numbers.Add(number);
            }
        }

        return [.. numbers];
    }

    /// <summary>Reads everything; <paramref name="mark"/> says how far the partition had surely come.</summary>
    public PartitionFigures Run(PartitionMark? mark, IPlacedBatchVisitor? visitor = null)
    {
        _mark = mark;
        _visitor = visitor;
        long[] bases = [.. BasesOf()];
        _nextOffset = bases.Length == 0 ? mark?.NextOffset ?? 0 : bases[0];
        _figures = _figures with { Segments = bases.Length, StartOffset = _nextOffset };
        for (int i = 0; i < bases.Length; i++)
        {
            CheckJoint(bases[i]);
            Scan(bases[i], isLast: i == bases.Length - 1);
        }

        CheckMissing(bases);
        return _figures with { NextOffset = Math.Max(_nextOffset, mark?.NextOffset ?? 0) };
    }

    private IEnumerable<long> BasesOf()
    {
        foreach (string name in files.List($"{root}/{_folder}", PartitionSegment.LogSuffix))
        {
            if (PartitionSegment.TryParseName(name, PartitionSegment.LogSuffix, out int number, out long baseOffset)
                && number == partition)
            {
                yield return baseOffset;
            }
        }
    }

    private string PathOf(long baseOffset, string suffix) =>
        _folder + "/" + PartitionSegment.NameOf(partition, baseOffset, suffix);

    private bool IsMarked(long baseOffset) =>
        _mark is not null && _mark.Segments.Any(segment => segment.BaseOffset == baseOffset);

    /// <summary>Segments join without a gap, unless the mark knows of it.</summary>
    private void CheckJoint(long baseOffset)
    {
        if (baseOffset != _nextOffset && !IsMarked(baseOffset))
        {
            bool isDamage = baseOffset < _nextOffset || baseOffset <= _durable;
            string problem = $"it begins at offset {baseOffset}, and what is in front of it ends at {_nextOffset}";
            Add(PathOf(baseOffset, PartitionSegment.LogSuffix), 0, 0, problem, isDamage);
        }

        _nextOffset = Math.Max(_nextOffset, baseOffset);
    }

    /// <summary>Retention and compaction take files away, but never the last.</summary>
    private void CheckMissing(long[] bases)
    {
        long last = bases.Length == 0 ? -1 : bases[^1];
        foreach (SegmentMark segment in _mark?.Segments ?? [])
        {
            if (segment.SizeBytes > 0 && segment.BaseOffset > last)
            {
                string path = PathOf(segment.BaseOffset, PartitionSegment.LogSuffix);
                Add(path, 0, segment.SizeBytes, "the file is missing", isDamage: true);
            }
        }
    }

    private void Scan(long baseOffset, bool isLast)
    {
        string path = PathOf(baseOffset, PartitionSegment.LogSuffix);
        using IFile file = files.Open($"{root}/{path}", FileOpening.Read);
        long length = file.Length;
        long known = KnownBytes(baseOffset, isLast, length);
        if (length < known)
        {
            Add(path, length, known - length, $"the file has {length} bytes and had {known}", isDamage: true);
        }

        var index = IndexWalk.Open(files, $"{root}/{PathOf(baseOffset, PartitionSegment.IndexSuffix)}", length);
        long at = 0;
        while (at < length)
        {
            at = ScanBatches(file, path, at, baseOffset, index);
            if (at < length)
            {
                long next = BatchSearch.Find(file, at + 1, length, _nextOffset);
                long until = next < 0 ? length : next;
                bool isDamage = at < known || _nextOffset < Math.Max(_durable, _mark?.NextOffset ?? 0);
                Add(path, at, until - at, isDamage ? _reason : Torn, isDamage);
                index.SkipTo(until);
                at = until;
            }
        }

        if (index.Problem is { } problem)
        {
            Add(PathOf(baseOffset, PartitionSegment.IndexSuffix), 0, 0, problem, index.IsDamage);
        }
    }

    /// <summary>So many bytes were surely on disk once.</summary>
    private long KnownBytes(long baseOffset, bool isLast, long length)
    {
        if (_mark is not { Segments: [.., SegmentMark newest] } || newest.BaseOffset < baseOffset)
        {
            return _mark is null && !isLast ? length : 0;
        }

        return newest.BaseOffset == baseOffset ? newest.SizeBytes : length;
    }

    /// <summary>Goes over good batches; returns where the first that is not good begins, or the end.</summary>
    private long ScanBatches(IFile file, string path, long from, long baseOffset, IndexWalk index)
    {
        using var scan = new BatchScan(file, file.Length, from);
        while (scan.TryNext(out RecordBatch batch))
        {
            if (!batch.IsCrcValid)
            {
                _reason = $"the checksum of the batch of offset {batch.BaseOffset} is wrong";
                return scan.Position;
            }

            if (batch.BaseOffset < _nextOffset)
            {
                _reason = $"the batch has offset {batch.BaseOffset} where {_nextOffset} or a later one must be";
                return scan.Position;
            }

            index.Meet(batch.BaseOffset - baseOffset, scan.Position);
            _visitor?.Visit(path, scan.Position, batch);
            _nextOffset = batch.NextOffset;
            _figures = _figures with
            {
                Batches = _figures.Batches + 1,
                Records = _figures.Records + batch.Count,
                Bytes = _figures.Bytes + batch.SizeBytes,
            };
        }

        _reason = "what stands there is no batch";
        return scan.Position;
    }

    private void Add(string file, long position, long length, string problem, bool isDamage) =>
        _problems.Add(new DataProblem(file, position, length, problem, isDamage));
}

/// <summary>Compares the file of a sparse index with the batches of its segment, in their order. One owner.</summary>
internal sealed class IndexWalk
{
    private IReadOnlyList<IndexEntry> _entries = [];
    private int _next;

    /// <summary>What is wrong with the index; null: nothing, or there is none.</summary>
    public string? Problem { get; private set; }

    /// <summary>False when it is only not whole: it is made anew then.</summary>
    public bool IsDamage { get; private set; }

    public static IndexWalk Open(IFileSystem files, string path, long segmentBytes)
    {
        var walk = new IndexWalk();
        if (!files.Exists(path))
        {
            return walk;
        }

        if (SegmentIndexFile.TryRead(files, path, segmentBytes) is { } entries)
        {
            walk._entries = entries;
        }
        else
        {
            walk.Problem = "the index is not that of its segment; it is made anew when it is needed";
        }

        return walk;
    }

    /// <summary>A good batch stands at a position.</summary>
    public void Meet(long relativeOffset, long position)
    {
        if (_next >= _entries.Count || _entries[_next].Position > position)
        {
            return;
        }

        IndexEntry entry = _entries[_next++];
        if (entry.Position != position || entry.RelativeOffset != relativeOffset)
        {
            IsDamage = true;
            Problem ??= $"entry {_next - 1} says offset +{entry.RelativeOffset} at {entry.Position}, where no batch is";
            SkipTo(position + 1);
        }
    }

    /// <summary>What lies before a position cannot be compared.</summary>
    public void SkipTo(long position)
    {
        while (_next < _entries.Count && _entries[_next].Position < position)
        {
            _next++;
        }
    }
}
