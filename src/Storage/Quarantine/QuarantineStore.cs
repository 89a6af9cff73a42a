using Pillarbox.Model;

namespace Pillarbox.Storage.Quarantine;

/// <summary>
/// Keeps damaged bytes for the operator, over restarts, in a folder of their own, with a note of where each stretch
/// comes from. Bounded: the oldest go first, and are counted. Damage is rare, so calls do their work on the caller's
/// thread, syncs included. Any thread.
/// </summary>
public sealed class QuarantineStore
{
    private readonly Lock _gate = new();
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly QuarantineLimits _limits;
    private readonly TimeProvider _time;
    private readonly SortedDictionary<long, QuarantineEntry> _entries = [];
    private long _bytes;
    private long _lastId;
    private long _droppedTotal;

    private QuarantineStore(IFileSystem files, string directory, QuarantineLimits limits, TimeProvider time)
    {
        _files = files;
        _directory = directory;
        _limits = limits;
        _time = time;
    }

    /// <summary>Entries that had to go for newer ones, since it was opened.</summary>
    public long DroppedTotal => Volatile.Read(ref _droppedTotal);

    /// <summary>Bytes of all entries.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Opens the store in a directory, which is made with the first entry. Throws
    /// <see cref="StorageException"/>.</summary>
    public static QuarantineStore Open(
        IFileSystem files, string directory, QuarantineLimits? limits = null, TimeProvider? time = null)
    {
        var store = new QuarantineStore(
            files, directory, limits ?? new QuarantineLimits(), time ?? TimeProvider.System);
        foreach (string name in files.List(directory, QuarantineFile.EntrySuffix))
        {
            store.Load(name);
        }

        store.DeleteStrays();
        return store;
    }

    /// <summary>The entries, oldest first.</summary>
    public IReadOnlyList<QuarantineEntry> List()
    {
        lock (_gate)
        {
            return [.. _entries.Values];
        }
    }

    /// <summary>The entry of an id; null when there is none.</summary>
    public QuarantineEntry? Find(long id)
    {
        lock (_gate)
        {
            return _entries.GetValueOrDefault(id);
        }
    }

    /// <summary>Keeps a copy of bytes; what was kept from the same place before is kept once. Returns the entry. Throws
    /// <see cref="StorageException"/>: nothing is kept then.</summary>
    public QuarantineEntry Keep(QuarantineOrigin origin, ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[..Math.Min(bytes.Length, _limits.CopiedBytesMax)];
        uint crc = Crc32C.Compute(bytes);
        lock (_gate)
        {
            foreach (QuarantineEntry kept in _entries.Values)
            {
                if (IsSamePlace(kept.Origin, origin) && kept.Bytes == bytes.Length && kept.Crc == crc)
                {
                    return kept;
                }
            }

            QuarantineEntry entry = Begin(origin, bytes.Length) with { Crc = crc };
            WriteEntry(entry, bytes);
            _files.SyncDirectory(_directory);
            Admit(entry);
            return entry;
        }
    }

    /// <summary>Moves a file here, whole. Returns the entry. Throws <see cref="StorageException"/>: the file is where
    /// it was then.</summary>
    public QuarantineEntry Take(QuarantineOrigin origin, string path)
    {
        lock (_gate)
        {
            long length;
            using (IFile file = _files.Open(path, FileOpening.Read))
            {
                length = file.Length;
            }

            // The note first: a note without its file is deleted at the next start, and the file is met again.
            QuarantineEntry entry = Begin(origin, length) with { IsWholeFile = true };
            WriteEntry(entry, []);
            _files.SyncDirectory(_directory);
            _files.Rename(path, PathOf(entry.Id, QuarantineFile.BytesSuffix));
            _files.SyncDirectory(_directory);
            _files.SyncDirectory(Path.GetDirectoryName(path)!);
            Admit(entry);
            return entry;
        }
    }

    /// <summary>Opens the bytes of an entry; null when there is none. The caller disposes it. Throws
    /// <see cref="StorageException"/>.</summary>
    public QuarantineBytes? OpenBytes(long id)
    {
        QuarantineEntry? entry = Find(id);
        if (entry is null)
        {
            return null;
        }

        if (entry.IsWholeFile)
        {
            return new QuarantineBytes(
                _files.Open(PathOf(id, QuarantineFile.BytesSuffix), FileOpening.Read), 0, entry.Bytes);
        }

        string path = PathOf(id, QuarantineFile.EntrySuffix);
        IFile file = _files.Open(path, FileOpening.Read);
        try
        {
            _ = QuarantineFile.TryRead(file, path, id, out long bytesAt);
            return new QuarantineBytes(file, bytesAt, entry.Bytes);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Deletes an entry with its bytes; false when there is none.</summary>
    public bool Drop(long id)
    {
        lock (_gate)
        {
            if (!_entries.ContainsKey(id))
            {
                return false;
            }

            Delete(id);
            _files.SyncDirectory(_directory);
            return true;
        }
    }

    private static bool IsSamePlace(QuarantineOrigin one, QuarantineOrigin other) =>
        one.Source == other.Source && one.File == other.File && one.Position == other.Position
        && one.Queue == other.Queue;

    private string PathOf(long id, string suffix) => _directory + "/" + QuarantineFile.NameOf(id, suffix);

    private QuarantineEntry Begin(QuarantineOrigin origin, long bytes)
    {
        if (_lastId == 0)
        {
            _files.EnsureDirectory(_directory);
        }

        return new QuarantineEntry(++_lastId, _time.GetUtcNow().ToUnixTimeMilliseconds(), bytes, origin);
    }

    private void WriteEntry(QuarantineEntry entry, ReadOnlySpan<byte> bytes)
    {
        string path = PathOf(entry.Id, QuarantineFile.EntrySuffix);
        try
        {
            QuarantineFile.Write(_files, path, entry, bytes);
        }
        catch (StorageException)
        {
            _files.Delete(path);
            throw;
        }
    }

    private void Admit(QuarantineEntry entry)
    {
        _entries.Add(entry.Id, entry);
        _bytes += entry.Bytes;
        while (_entries.Count > 1 && (_entries.Count > _limits.EntriesMax || _bytes > _limits.BytesMax))
        {
            Delete(_entries.Keys.First());
            Interlocked.Increment(ref _droppedTotal);
        }
    }

    private void Delete(long id)
    {
        _files.Delete(PathOf(id, QuarantineFile.BytesSuffix));
        _files.Delete(PathOf(id, QuarantineFile.EntrySuffix));
        _bytes -= _entries[id].Bytes;
        _entries.Remove(id);
    }

    private void Load(string name)
    {
        long id = QuarantineFile.IdOf(name);
        if (id == 0)
        {
            return;
        }

        _lastId = Math.Max(_lastId, id);
        string path = PathOf(id, QuarantineFile.EntrySuffix);
        using IFile file = _files.Open(path, FileOpening.Read);
        QuarantineEntry? entry = QuarantineFile.TryRead(file, path, id, out long bytesAt);
        bool hasFile = _files.Exists(PathOf(id, QuarantineFile.BytesSuffix));
        if (entry is { IsWholeFile: true } && !hasFile)
        {
            _files.Delete(path);
            return;
        }

        entry = entry is null ? Unknown(id, hasFile) : entry.IsWholeFile
            ? entry
            : entry with { Bytes = Math.Min(entry.Bytes, file.Length - bytesAt) };
        _entries.Add(id, entry);
        _bytes += entry.Bytes;
    }

    /// <summary>The note is damaged itself: the bytes are shown all the same.</summary>
    private QuarantineEntry Unknown(long id, bool hasFile)
    {
        string name = QuarantineFile.NameOf(id, hasFile ? QuarantineFile.BytesSuffix : QuarantineFile.EntrySuffix);
        var origin = new QuarantineOrigin
        {
            Source = "quarantine",
            File = DataLayout.Quarantine + "/" + name,
            Reason = "the note of where it comes from is damaged",
        };
        using IFile file = _files.Open(_directory + "/" + name, FileOpening.Read);
        return new QuarantineEntry(id, 0, file.Length, origin) { IsWholeFile = hasFile };
    }

    /// <summary>Bytes whose note was deleted first.</summary>
    private void DeleteStrays()
    {
        foreach (string name in _files.List(_directory, QuarantineFile.BytesSuffix))
        {
            long id = QuarantineFile.IdOf(name);
            _lastId = Math.Max(_lastId, id);
            if (id > 0 && !_entries.ContainsKey(id))
            {
                _files.Delete(_directory + "/" + name);
            }
        }
    }
}

/// <summary>The bytes of an entry, to be read in pieces. One owner.</summary>
public sealed class QuarantineBytes : IDisposable
{
    private readonly IFile _file;
    private readonly long _start;

    internal QuarantineBytes(IFile file, long start, long length)
    {
        _file = file;
        _start = start;
        Length = length;
    }

    /// <summary>How many there are.</summary>
    public long Length { get; }

    /// <summary>Reads up to the buffer's size from an offset; fewer only at the end.</summary>
    public int Read(long offset, Span<byte> buffer)
    {
        int wanted = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        return wanted == 0 ? 0 : _file.Read(_start + offset, buffer[..wanted]);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();
}
