using Pillarbox.Model;

namespace Pillarbox.Storage;

/// <summary>What goes wrong, and how often. Chances are from 0.0 (never) to 1.0 (always).</summary>
public sealed class FileFaults
{
    /// <summary>Bytes that all files together may have.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>Chance that a sync fails with an I/O error.</summary>
    public double SyncFailure { get; set; }

    /// <summary>Chance that a sync says that the disk is full, which no disk should.</summary>
    public double SyncFull { get; set; }

    /// <summary>Chance that a write fails with an I/O error, nothing written.</summary>
    public double WriteFailure { get; set; }

    /// <summary>Chance that a write finds the disk full, nothing written.</summary>
    public double WriteFull { get; set; }

    /// <summary>Chance that a write writes only some of its bytes and then fails with an I/O error.</summary>
    public double ShortWrite { get; set; }

    /// <summary>Chance that a read fails with an I/O error.</summary>
    public double ReadFailure { get; set; }

    /// <summary>Chance that a read returns one wrong bit.</summary>
    public double ReadBitFlip { get; set; }

    /// <summary>Chance that deleting a file is refused.</summary>
    public double DeleteRefused { get; set; }

    /// <summary>Chance that opening a file is refused.</summary>
    public double OpenRefused { get; set; }
}

/// <summary>Wraps files with faults drawn from a seed. Any thread.</summary>
public sealed class FaultyFileSystem(IFileSystem inner, FileFaults faults, IRandom random) : IFileSystem
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, FileSize> _sizes = new(StringComparer.Ordinal);
    private long _usedBytes;

    /// <inheritdoc/>
    public IFile Open(string path, FileOpening opening)
    {
        if (Draw(faults.OpenRefused))
        {
            throw new StorageException($"no permission to open {path} (injected)");
        }

        IFile file = inner.Open(path, opening);
        lock (_gate)
        {
            if (!_sizes.TryGetValue(path, out FileSize? size))
            {
                _sizes[path] = size = new FileSize { Bytes = file.Length };
                _usedBytes += size.Bytes;
            }

            return new FaultyFile(this, file, size);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path) => inner.Exists(path);

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (Draw(faults.DeleteRefused))
        {
            throw new StorageException($"cannot delete {path}: read-only file system (injected)");
        }

        inner.Delete(path);
        lock (_gate)
        {
            Forget(path);
        }
    }

    /// <inheritdoc/>
    public void Rename(string source, string target)
    {
        inner.Rename(source, target);
        lock (_gate)
        {
            Forget(target);
            if (_sizes.Remove(source, out FileSize? size))
            {
                _sizes[target] = size;
            }
        }
    }

    /// <inheritdoc/>
    public string[] List(string directory, string suffix) => inner.List(directory, suffix);

    /// <inheritdoc/>
    public string[] ListDirectories(string directory) => inner.ListDirectories(directory);

    /// <inheritdoc/>
    public void CreateDirectory(string directory) => inner.CreateDirectory(directory);

    /// <inheritdoc/>
    public void SyncDirectory(string directory)
    {
        FailSync();
        inner.SyncDirectory(directory);
    }

    /// <inheritdoc/>
    public long FreeBytes(string directory)
    {
        lock (_gate)
        {
            return Math.Max(0, faults.CapacityBytes - _usedBytes);
        }
    }

    /// <inheritdoc/>
    public IDisposable LockDirectory(string directory) => inner.LockDirectory(directory);

    private void Forget(string path)
    {
        if (_sizes.Remove(path, out FileSize? size))
        {
            _usedBytes -= size.Bytes;
        }
    }

    private bool Draw(double chance) => chance > 0 && random.NextDouble() < chance;

    private void FailSync()
    {
        if (Draw(faults.SyncFailure))
        {
            throw new StorageException("cannot sync: input/output error (injected)");
        }

        if (Draw(faults.SyncFull))
        {
            throw new StorageFullException("the disk is full at a sync (injected)");
        }
    }

    private void Grow(FileSize size, long bytes)
    {
        lock (_gate)
        {
            long growth = bytes - size.Bytes;
            if (growth > 0 && _usedBytes + growth > faults.CapacityBytes)
            {
                throw new StorageFullException("the disk is full (injected)");
            }

            size.Bytes = bytes;
            _usedBytes += growth;
        }
    }

    private sealed class FileSize
    {
        public long Bytes { get; set; }
    }

    private sealed class FaultyFile(FaultyFileSystem owner, IFile file, FileSize size) : IFile
    {
        private FileFaults Faults => owner.Faults;

        public long Length => file.Length;

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            if (owner.Draw(Faults.WriteFailure))
            {
                throw new StorageException("cannot write: input/output error (injected)");
            }

            if (owner.Draw(Faults.WriteFull))
            {
                throw new StorageFullException("the disk is full (injected)");
            }

            owner.Grow(size, Math.Max(size.Bytes, offset + bytes.Length));
            if (owner.Draw(Faults.ShortWrite))
            {
                file.Write(offset, bytes[..owner.Below(bytes.Length)]);
                throw new StorageException("cannot write: input/output error (injected, some bytes were written)");
            }

            file.Write(offset, bytes);
        }

        public int Read(long offset, Span<byte> buffer)
        {
            FailRead();
            int count = file.Read(offset, buffer);
            Flip(buffer[..count]);
            return count;
        }

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            FailRead();
            int count = await file.ReadAsync(offset, buffer, cancellation).ConfigureAwait(false);
            Flip(buffer.Span[..count]);
            return count;
        }

        public void Sync()
        {
            owner.FailSync();
            file.Sync();
        }

        public void SetLength(long length)
        {
            owner.Grow(size, length);
            file.SetLength(length);
        }

        public void Preallocate(long length)
        {
            owner.Grow(size, Math.Max(size.Bytes, length));
            file.Preallocate(length);
        }

        public void Dispose() => file.Dispose();

        private void FailRead()
        {
            if (owner.Draw(Faults.ReadFailure))
            {
                throw new StorageException("cannot read: input/output error (injected)");
            }
        }

        private void Flip(Span<byte> bytes)
        {
            if (!bytes.IsEmpty && owner.Draw(Faults.ReadBitFlip))
            {
                bytes[owner.Below(bytes.Length)] ^= (byte)(1 << owner.Below(8));
            }
        }
    }

    private FileFaults Faults => faults;

    private int Below(int exclusiveMax) => random.Next(Math.Max(1, exclusiveMax));
}
