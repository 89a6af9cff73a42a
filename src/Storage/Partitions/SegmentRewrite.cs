using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// Writes a closed segment anew, for compaction: read its batches, write those that stay into a file beside it, then
/// put
/// that in its place in one step. Readers of the old file go on with it. One owner.
/// </summary>
public sealed class SegmentRewrite : IDisposable
{
    internal const string CleanedSuffix = ".cleaned";
    private readonly PartitionLog _log;
    private readonly PartitionSegment _old;
    private readonly PartitionSegment _made;
    private readonly string _path;
    private readonly IFile _file;

    internal SegmentRewrite(PartitionLog log, PartitionSegment old)
    {
        _log = log;
        _old = old;
        _made = new PartitionSegment(log, old.BaseOffset) { Index = log.NewIndex(), IsOnDisk = true };
        _path = old.Path + CleanedSuffix;
        log.Store.FileSystem.Delete(_path);
        _file = log.Store.FileSystem.Open(_path, FileOpening.CreateNew);
    }

    /// <summary>The offset behind the segment's last batch.</summary>
    public long NextOffset => _old.NextOffset;

    /// <summary>Bytes of the segment as it is.</summary>
    public int SizeBefore => _old.SizeBytes;

    /// <summary>Bytes written so far.</summary>
    public int SizeAfter => _made.SizeBytes;

    /// <summary>Visits all batches of the segment. Throws <see cref="StorageException"/> when one is
    /// damaged.</summary>
    public void Read(IBatchVisitor visitor) => ReadAll(_log, _old, visitor);

    /// <summary>Adds a batch; they come in the order of their offsets.</summary>
    public void Write(ReadOnlySpan<byte> batch)
    {
        _ = RecordBatch.TryRead(batch, out RecordBatch header);
        _file.Write(_made.SizeBytes, batch);
        SegmentFigures.Note(_made, header);
    }

    /// <summary>Puts the new segment in the old one's place, durably; false when the old one has gone
    /// meanwhile.</summary>
    public bool Commit()
    {
        IFileSystem files = _log.Store.FileSystem;
        _file.Sync();
        _file.Dispose();
        _made.NextOffset = _old.NextOffset;
        bool isEmpty = _made.SizeBytes == 0;
        bool isDone = _log.Replace(_old, isEmpty ? null : _made, () =>
        {
            _log.Store.Files.Drop(_old);
            if (isEmpty)
            {
                files.Delete(_old.Path);
            }
            else
            {
                files.Rename(_path, _old.Path);
            }

            files.Delete(_old.IndexPath);
        });
        files.SyncDirectory(_log.Directory);
        return isDone;
    }

    /// <summary>Gives up what is not committed.</summary>
    public void Dispose()
    {
        _file.Dispose();
        _log.Store.FileSystem.Delete(_path);
    }

    /// <summary>Visits all batches of a segment, from disk.</summary>
    internal static void ReadAll(PartitionLog log, PartitionSegment segment, IBatchVisitor visitor)
    {
        IFile file = log.Store.Files.Hold(segment);
        try
        {
            using var scan = new BatchScan(file, segment.SizeBytes);
            while (scan.TryNext(out RecordBatch batch))
            {
                if (!batch.IsCrcValid)
                {
                    throw new DamagedRecordException(batch.BaseOffset, $"the checksum in {segment.Path} is wrong");
                }

                visitor.Visit(batch);
            }

            if (scan.Position != segment.SizeBytes)
            {
                throw new DamagedRecordException(scan.Position, $"{segment.Path} holds something else than batches");
            }
        }
        finally
        {
            log.Store.Files.Release(segment);
        }
    }
}
