namespace Pillarbox.Storage;

/// <summary>
/// Files in memory that remember what a power cut would leave: which bytes were synced, and what was written since.
/// From
/// that it makes crash images: every state of the disk that a machine may come back with. Directory entries survive
/// in the
/// order in which they were changed (as on a journalled file system), bytes in any order, torn at
/// <see cref="SectorBytes"/>. Any thread; meant for one.
/// </summary>
public sealed class RecordingFileSystem : IFileSystem
{
    /// <summary>What a disk writes whole or not at all.</summary>
    public const int SectorBytes = 512;

    private readonly Lock _gate = new();
    private readonly MemoryFileSystem _inner;
    private readonly Dictionary<string, RecordedFile> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RecordedFile> _durableEntries = new(StringComparer.Ordinal);
    private readonly List<EntryChange> _entryChanges = [];

    /// <summary>Begins with an empty disk.</summary>
    public RecordingFileSystem()
        : this(new MemoryFileSystem())
    {
    }

    /// <summary>Begins with what a disk holds, durably. Takes the files over.</summary>
    public RecordingFileSystem(MemoryFileSystem initial)
    {
        _inner = initial;
        foreach (string path in initial.Paths)
        {
            _entries[path] = _durableEntries[path] = new RecordedFile(initial.DataOf(path).Copy());
        }
    }

    /// <summary>Called after each sync of a file or directory: here a crash is worth a look.</summary>
    public Action? Synced { get; set; }

    /// <summary>Called before each sync, when most is at stake.</summary>
    public Action? Syncing { get; set; }

    /// <inheritdoc/>
    public IFile Open(string path, FileOpening opening)
    {
        IFile file = _inner.Open(path, opening);
        lock (_gate)
        {
            if (!_entries.TryGetValue(path, out RecordedFile? recorded))
            {
                recorded = new RecordedFile(new MemoryFileData());
                _entries[path] = recorded;
                _entryChanges.Add(new EntryChange(path, null, recorded));
            }

            return new RecordingFile(this, file, recorded);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path) => _inner.Exists(path);

    /// <inheritdoc/>
    public void Delete(string path)
    {
        _inner.Delete(path);
        lock (_gate)
        {
            if (_entries.Remove(path))
            {
                _entryChanges.Add(new EntryChange(null, path, null));
            }
        }
    }

    /// <inheritdoc/>
    public void Rename(string source, string target)
    {
        _inner.Rename(source, target);
        lock (_gate)
        {
            RecordedFile file = _entries[source];
            _entries.Remove(source);
            _entries[target] = file;
            _entryChanges.Add(new EntryChange(target, source, file));
        }
    }

    /// <inheritdoc/>
    public string[] List(string directory, string suffix) => _inner.List(directory, suffix);

    /// <inheritdoc/>
    public string[] ListDirectories(string directory) => _inner.ListDirectories(directory);

    /// <inheritdoc/>
    public void CreateDirectory(string directory) => _inner.CreateDirectory(directory);

    /// <inheritdoc/>
    public void SyncDirectory(string directory)
    {
        Syncing?.Invoke();
        lock (_gate)
        {
            foreach (EntryChange change in _entryChanges)
            {
                change.Apply(_durableEntries);
            }

            _entryChanges.Clear();
        }

        Synced?.Invoke();
    }

    /// <inheritdoc/>
    public long FreeBytes(string directory) => _inner.FreeBytes(directory);

    /// <inheritdoc/>
    public IDisposable LockDirectory(string directory) => _inner.LockDirectory(directory);

    /// <summary>Files as a power cut at this moment may leave them. <paramref name="choice"/> is asked, for each change
    /// that was not synced, what became of it.</summary>
    public MemoryFileSystem MakeCrashImage(ICrashChoice choice)
    {
        lock (_gate)
        {
            var entries = new Dictionary<string, RecordedFile>(_durableEntries, StringComparer.Ordinal);
            int kept = choice.ChooseEntries(_entryChanges.Count);
            foreach (EntryChange change in _entryChanges.Take(kept))
            {
                change.Apply(entries);
            }

            var image = new MemoryFileSystem();
            foreach ((string path, RecordedFile file) in entries.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                image.Install(path, file.MakeImage(choice));
            }

            return image;
        }
    }

    private sealed record EntryChange(string? Added, string? Removed, RecordedFile? File)
    {
        public void Apply(Dictionary<string, RecordedFile> entries)
        {
            if (Removed is not null)
            {
                entries.Remove(Removed);
            }

            if (Added is not null)
            {
                entries[Added] = File!;
            }
        }
    }

    private sealed class RecordingFile(RecordingFileSystem owner, IFile inner, RecordedFile recorded) : IFile
    {
        public long Length => inner.Length;

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            inner.Write(offset, bytes);
            lock (owner._gate)
            {
                recorded.Pending.Add(new FileChange(offset, bytes.ToArray(), 0));
            }
        }

        public int Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
            inner.ReadAsync(offset, buffer, cancellation);

        public void Sync()
        {
            owner.Syncing?.Invoke();
            lock (owner._gate)
            {
                foreach (FileChange change in recorded.Pending)
                {
                    change.Apply(recorded.Durable);
                }

                recorded.Pending.Clear();
            }

            owner.Synced?.Invoke();
        }

        public void SetLength(long length)
        {
            inner.SetLength(length);
            lock (owner._gate)
            {
                recorded.Pending.Add(new FileChange(-1, null, length));
            }
        }

        public void Preallocate(long length)
        {
            if (inner.Length < length)
            {
                SetLength(length);
            }
        }

        public void Dispose() => inner.Dispose();
    }
}

/// <summary>Decides what a power cut leaves of changes that were not synced.</summary>
public interface ICrashChoice
{
    /// <summary>How many of so many changes of directory entries survive, the first ones.</summary>
    int ChooseEntries(int changes);

    /// <summary>True when change number <paramref name="index"/> of <paramref name="count"/> of a file
    /// survives.</summary>
    bool ChooseChange(int index, int count);

    /// <summary>True when a sector of a write that survives was written.</summary>
    bool ChooseSector(int index, int count);
}

/// <summary>A change of one file: bytes written, or a new length.</summary>
internal sealed record FileChange(long Offset, byte[]? Bytes, long Length)
{
    public void Apply(MemoryFileData data)
    {
        if (Bytes is null)
        {
            data.SetLength(Length);
        }
        else
        {
            data.Write(Offset, Bytes);
        }
    }

    /// <summary>Applies the sectors that survive. Sectors are those of the file, not of the write.</summary>
    public void ApplyTorn(MemoryFileData data, ICrashChoice choice)
    {
        if (Bytes is null)
        {
            data.SetLength(Length);
            return;
        }

        long first = Offset / RecordingFileSystem.SectorBytes;
        long last = (Offset + Bytes.Length - 1) / RecordingFileSystem.SectorBytes;
        int count = (int)(last - first + 1);
        for (int i = 0; i < count; i++)
        {
            long from = Math.Max(Offset, (first + i) * RecordingFileSystem.SectorBytes);
            long to = Math.Min(Offset + Bytes.Length, (first + i + 1) * RecordingFileSystem.SectorBytes);
            if (choice.ChooseSector(i, count))
            {
                data.Write(from, Bytes.AsSpan((int)(from - Offset), (int)(to - from)));
            }
        }
    }
}

/// <summary>A file as the disk surely holds it, and what may or may not have been written since.</summary>
internal sealed class RecordedFile(MemoryFileData durable)
{
    public MemoryFileData Durable { get; } = durable;

    public List<FileChange> Pending { get; } = [];

    public MemoryFileData MakeImage(ICrashChoice choice)
    {
        MemoryFileData image = Durable.Copy();
        for (int i = 0; i < Pending.Count; i++)
        {
            if (choice.ChooseChange(i, Pending.Count))
            {
                Pending[i].ApplyTorn(image, choice);
            }
        }

        return image;
    }
}
