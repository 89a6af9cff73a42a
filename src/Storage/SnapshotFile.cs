using System.Globalization;

namespace Pillarbox.Storage;

/// <summary>
/// Snapshots of an index over a log: checksummed files, each made under a temporary name, synced and renamed. The
/// newest
/// two are kept, so that a damaged one costs only time. One thread at a time per directory.
/// </summary>
public static class SnapshotFile
{
    internal const string Suffix = ".snap";
    internal const string PartSuffix = ".part";
    internal const string DamagedSuffix = ".damaged";
    internal const int KeptMax = 2;

    /// <summary>Begins a snapshot of everything below <paramref name="position"/> of the log, which must be durable
    /// there
    /// by the time of <see cref="SnapshotWriter.Complete"/>. One at a time.</summary>
    public static SnapshotWriter Create(IFileSystem files, string directory, long position)
    {
        files.EnsureDirectory(directory);
        foreach (string part in files.List(directory, PartSuffix))
        {
            files.Delete(directory + "/" + part);
        }

        return new SnapshotWriter(files, directory, position);
    }

    /// <summary>Opens the newest valid snapshot, all of whose bytes have been verified. A damaged one is set aside as
    /// *.damaged and named in <see cref="SnapshotSearch.Damaged"/>. Throws <see cref="StorageException"/> when a newer
    /// program wrote one.</summary>
    public static SnapshotSearch OpenNewest(IFileSystem files, string directory)
    {
        var damaged = new List<string>();
        foreach (string name in files.List(directory, Suffix).Reverse())
        {
            string path = directory + "/" + name;
            if (SnapshotReader.Open(files, path, PositionOf(name), out string? problem) is { } reader)
            {
                return new SnapshotSearch(reader, damaged);
            }

            damaged.Add($"{name}: {problem}");
            files.Rename(path, path + DamagedSuffix);
            files.SyncDirectory(directory);
        }

        return new SnapshotSearch(null, damaged);
    }

    /// <summary>Opens the newest valid snapshot and changes nothing; null when there is none.</summary>
    public static SnapshotReader? FindNewest(IFileSystem files, string directory)
    {
        foreach (string name in files.List(directory, Suffix).Reverse())
        {
            if (SnapshotReader.Open(files, directory + "/" + name, PositionOf(name), out _) is { } reader)
            {
                return reader;
            }
        }

        return null;
    }

    /// <summary>The position of the older of the two kept snapshots; 0 while there are not two. Segments at or above it
    /// must stay, so that the older one can stand in for the newer.</summary>
    public static long OldestPosition(IFileSystem files, string directory)
    {
        string[] names = files.List(directory, Suffix);
        return names.Length < KeptMax ? 0 : PositionOf(names[^KeptMax]);
    }

    internal static string NameOf(long position) => position.ToString("x16", CultureInfo.InvariantCulture) + Suffix;

    internal static long PositionOf(string name) =>
        long.TryParse(
            name.AsSpan(0, name.Length - Suffix.Length),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out long position)
            ? position
            : -1;
}

/// <summary>What was found.</summary>
/// <param name="Reader">The newest valid snapshot; null if there is none. The caller disposes it.</param>
/// <param name="Damaged">Files that were damaged, and how, newest first.</param>
public sealed record SnapshotSearch(SnapshotReader? Reader, IReadOnlyList<string> Damaged);

/// <summary>Writes one snapshot, front to back. One owner.</summary>
public sealed class SnapshotWriter : IDisposable
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly string _name;
    private readonly IFile _file;
    private readonly ChunkFileWriter _writer;
    private bool _isComplete;

    internal SnapshotWriter(IFileSystem files, string directory, long position)
    {
        _files = files;
        _directory = directory;
        _name = SnapshotFile.NameOf(position);
        _file = files.Open(PartPath, FileOpening.CreateNew);
        _writer = new ChunkFileWriter(_file, FileKind.Snapshot, position);
    }

    private string PartPath => _directory + "/" + _name + SnapshotFile.PartSuffix;

    /// <summary>Bytes of content so far.</summary>
    public long Length => _writer.Length;

    /// <summary>Adds bytes; they are read back as one stream. Throws <see cref="StorageFullException"/>.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => _writer.Write(bytes);

    /// <summary>Makes the snapshot valid and durable, and deletes all but the newest two.</summary>
    public void Complete()
    {
        _writer.Complete();
        _files.Rename(PartPath, _directory + "/" + _name);
        _isComplete = true;
        _files.SyncDirectory(_directory);
        string[] names = _files.List(_directory, SnapshotFile.Suffix);
        foreach (string old in names.Take(Math.Max(0, names.Length - SnapshotFile.KeptMax)))
        {
            _files.Delete(_directory + "/" + old);
        }
    }

    /// <summary>Without <see cref="Complete"/> before it: deletes the unfinished file.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _file.Dispose();
        if (!_isComplete)
        {
            _files.Delete(PartPath);
        }
    }
}

/// <summary>Reads one snapshot, front to back. One owner.</summary>
public sealed class SnapshotReader : IDisposable
{
    private readonly byte[] _slot = new byte[ChunkFile.SlotBytes];
    private readonly IFile _file;
    private readonly ChunkFileReader _reader;
    private long _chunk;
    private int _at = RecordFormat.HeaderBytes;
    private int _end = RecordFormat.HeaderBytes;

    private SnapshotReader(IFile file, ChunkFileReader reader)
    {
        _file = file;
        _reader = reader;
    }

    /// <summary>The log position it was taken at: replay goes on from here.</summary>
    public long Position => _reader.Value;

    /// <summary>Bytes of content.</summary>
    public long Length => _reader.Length;

    /// <summary>The next bytes, until the buffer is full or the content ends.</summary>
    public int Read(Span<byte> buffer)
    {
        int total = 0;
        while (total < buffer.Length && (_at < _end || NextChunk()))
        {
            int count = Math.Min(buffer.Length - total, _end - _at);
            _slot.AsSpan(_at, count).CopyTo(buffer[total..]);
            _at += count;
            total += count;
        }

        return total;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>Opens and verifies all of a snapshot; null with the reason when it is damaged.</summary>
    internal static SnapshotReader? Open(IFileSystem files, string path, long position, out string? problem)
    {
        IFile file = files.Open(path, FileOpening.Read);
        try
        {
            if (ChunkFileReader.Open(file, FileKind.Snapshot, path, out problem) is { } chunks)
            {
                problem = chunks.Value == position ? null : "its name is not that of its content";
                var reader = new SnapshotReader(file, chunks);
                if (problem is null && reader.TryVerify(out problem))
                {
                    return reader;
                }
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    private bool NextChunk()
    {
        if (_chunk == ChunkFile.ChunksOf(Length))
        {
            return false;
        }

        _end = RecordFormat.HeaderBytes + _reader.ReadChunk(_chunk++, _slot);
        _at = RecordFormat.HeaderBytes;
        return true;
    }

    private bool TryVerify(out string? problem)
    {
        try
        {
            for (long chunk = 0; chunk < ChunkFile.ChunksOf(Length); chunk++)
            {
                _reader.ReadChunk(chunk, _slot);
            }

            problem = null;
            return true;
        }
        catch (StorageException error)
        {
            problem = error.Message;
            return false;
        }
    }
}
