using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Storage;

/// <summary>Files in memory: for nodes without a disk and for tests. Space is taken in pages as bytes are
/// written.</summary>
public sealed class MemoryFileSystem : IFileSystem
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, MemoryFileData> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _locks = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    [SuppressMessage("Reliability", "CA2000", Justification = "the caller owns it")]
    public IFile Open(string path, FileOpening opening)
    {
        lock (_gate)
        {
            bool exists = _entries.TryGetValue(path, out MemoryFileData? data);
            if (exists && opening == FileOpening.CreateNew)
            {
                throw new StorageException($"{path} exists already");
            }

            if (!exists && opening is FileOpening.Read or FileOpening.ReadWrite)
            {
                throw new StorageException($"{path} does not exist");
            }

            data ??= _entries[path] = new MemoryFileData();
            return new MemoryFile(data, opening != FileOpening.Read);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path)
    {
        lock (_gate)
        {
            return _entries.ContainsKey(path);
        }
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        lock (_gate)
        {
            _entries.Remove(path);
        }
    }

    /// <inheritdoc/>
    public void Rename(string source, string target)
    {
        lock (_gate)
        {
            if (!_entries.Remove(source, out MemoryFileData? data))
            {
                throw new StorageException($"{source} does not exist");
            }

            _entries[target] = data;
        }
    }

    /// <inheritdoc/>
    public string[] List(string directory, string suffix)
    {
        string prefix = directory + "/";
        lock (_gate)
        {
            return _entries.Keys
                .Where(path => path.StartsWith(prefix, StringComparison.Ordinal)
                    && path.EndsWith(suffix, StringComparison.Ordinal)
                    && !path.AsSpan(prefix.Length).Contains('/'))
                .Select(path => path[prefix.Length..])
                .Order(StringComparer.Ordinal)
                .ToArray();
        }
    }

    /// <inheritdoc/>
    public string[] ListDirectories(string directory)
    {
        string prefix = directory + "/";
        lock (_gate)
        {
            return _entries.Keys
                .Where(path => path.StartsWith(prefix, StringComparison.Ordinal)
                    && path.AsSpan(prefix.Length).Contains('/'))
                .Select(path => path[prefix.Length..path.IndexOf('/', prefix.Length)])
                .Distinct()
                .Order(StringComparer.Ordinal)
                .ToArray();
        }
    }

    /// <inheritdoc/>
    public void CreateDirectory(string directory)
    {
    }

    /// <inheritdoc/>
    public void SyncDirectory(string directory)
    {
    }

    /// <inheritdoc/>
    public long FreeBytes(string directory) => long.MaxValue;

    /// <inheritdoc/>
    public IDisposable LockDirectory(string directory)
    {
        lock (_gate)
        {
            if (!_locks.Add(directory))
            {
                throw new StorageException(
                    $"{directory} is in use by another node; stop it or choose another directory");
            }
        }

        return new DirectoryLock(this, directory);
    }

    /// <summary>Puts a file in place.</summary>
    internal void Install(string path, MemoryFileData data)
    {
        lock (_gate)
        {
            _entries[path] = data;
        }
    }

    /// <summary>All paths, in order.</summary>
    internal string[] Paths
    {
        get
        {
            lock (_gate)
            {
                return _entries.Keys.Order(StringComparer.Ordinal).ToArray();
            }
        }
    }

    /// <summary>The bytes of a file.</summary>
    internal MemoryFileData DataOf(string path)
    {
        lock (_gate)
        {
            return _entries[path];
        }
    }

    /// <summary>All files, copied.</summary>
    internal MemoryFileSystem Copy()
    {
        var copy = new MemoryFileSystem();
        foreach (string path in Paths)
        {
            copy.Install(path, DataOf(path).Copy());
        }

        return copy;
    }

    private sealed class DirectoryLock(MemoryFileSystem owner, string directory) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._locks.Remove(directory);
            }
        }
    }

    private sealed class MemoryFile(MemoryFileData data, bool canWrite) : IFile
    {
        public long Length => data.Length;

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            if (!canWrite)
            {
                throw new StorageException("the file is open to read only");
            }

            data.Write(offset, bytes);
        }

        public int Read(long offset, Span<byte> buffer) => data.Read(offset, buffer);

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
            cancellation.IsCancellationRequested
                ? ValueTask.FromCanceled<int>(cancellation)
                : ValueTask.FromResult(data.Read(offset, buffer.Span));

        public void Sync()
        {
        }

        public void SetLength(long length) => data.SetLength(length);

        public void Preallocate(long length) => data.SetLength(Math.Max(length, data.Length));

        public void Dispose()
        {
        }
    }
}

/// <summary>Bytes of one file in memory, in pages; a page that was never written is zeros and takes no room.</summary>
internal sealed class MemoryFileData
{
    private const int PageBytes = 4 << 10;
    private readonly Lock _gate = new();
    private readonly List<byte[]?> _pages = [];
    private long _length;

    public long Length => Volatile.Read(ref _length);

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            SetLengthLocked(Math.Max(_length, offset + bytes.Length));
            while (!bytes.IsEmpty)
            {
                int index = (int)(offset / PageBytes);
                int within = (int)(offset % PageBytes);
                int count = Math.Min(bytes.Length, PageBytes - within);
                byte[] page = _pages[index] ??= new byte[PageBytes];
                bytes[..count].CopyTo(page.AsSpan(within));
                bytes = bytes[count..];
                offset += count;
            }
        }
    }

    public int Read(long offset, Span<byte> buffer)
    {
        lock (_gate)
        {
            int total = (int)Math.Clamp(_length - offset, 0, buffer.Length);
            for (int done = 0; done < total;)
            {
                int within = (int)((offset + done) % PageBytes);
                int count = Math.Min(total - done, PageBytes - within);
                Span<byte> target = buffer.Slice(done, count);
                byte[]? page = _pages[(int)((offset + done) / PageBytes)];
                if (page is null)
                {
                    target.Clear();
                }
                else
                {
                    page.AsSpan(within, count).CopyTo(target);
                }

                done += count;
            }

            return total;
        }
    }

    public void SetLength(long value)
    {
        lock (_gate)
        {
            SetLengthLocked(value);
        }
    }

    public MemoryFileData Copy()
    {
        var copy = new MemoryFileData();
        lock (_gate)
        {
            copy._length = _length;
            foreach (byte[]? page in _pages)
            {
                copy._pages.Add(page?.AsSpan().ToArray());
            }
        }

        return copy;
    }

    private void SetLengthLocked(long value)
    {
        int count = (int)((value + PageBytes - 1) / PageBytes);
        if (count < _pages.Count)
        {
            _pages.RemoveRange(count, _pages.Count - count);
        }

        while (_pages.Count < count)
        {
            _pages.Add(null);
        }

        if (value < _length && value % PageBytes != 0)
        {
            _pages[count - 1]?.AsSpan((int)(value % PageBytes)).Clear();
        }

        Volatile.Write(ref _length, value);
    }
}
