using System.Buffers;
using System.Globalization;

namespace Pillarbox.Storage;

/// <summary>
/// Large bodies, one file each, in checksummed chunks. Ids are never used twice, not even after a restart: they are
/// reserved in a file of their own, many at a time. Any thread; each writer and reader has one owner.
/// </summary>
public sealed class BlobStore : IDisposable
{
    internal const string Suffix = ".blob";
    internal const string PartSuffix = ".part";
    internal const string IdsName = "reserved.ids";
    private const string IdsPartName = "reserved.new";
    private const long ReservedIds = 1024;
    private const long LostIdsGap = 1L << 32;

    private readonly Lock _gate = new();
    private readonly IFileSystem _files;
    private readonly string _directory;
    private long _lastId;
    private long _reservedId;

    private BlobStore(IFileSystem files, string directory)
    {
        _files = files;
        _directory = directory;
    }

    /// <summary>Opens the store in a directory, which is made when missing; unfinished files are deleted.</summary>
    public static BlobStore Open(IFileSystem files, string directory)
    {
        files.EnsureDirectory(directory);
        foreach (string part in files.List(directory, PartSuffix))
        {
            files.Delete(directory + "/" + part);
        }

        var store = new BlobStore(files, directory);
        store._lastId = store._reservedId = store.ReadReserved();
        return store;
    }

    /// <summary>Begins a new blob. Throws <see cref="StorageFullException"/>.</summary>
    public BlobWriter Create()
    {
        long id;
        lock (_gate)
        {
            if (_lastId == _reservedId)
            {
                WriteReserved(_reservedId + ReservedIds);
            }

            id = ++_lastId;
        }

        return new BlobWriter(_files, _directory, id);
    }

    /// <summary>Opens a finished blob to read. Throws <see cref="StorageException"/> if there is none, or if its
    /// header is
    /// damaged.</summary>
    public BlobReader OpenRead(long id)
    {
        string path = PathOf(_directory, id);
        IFile file = _files.Open(path, FileOpening.Read);
        try
        {
            ChunkFileReader? reader = ChunkFileReader.Open(file, FileKind.Blob, path, out string? problem);
            if (reader is null || reader.Value != id)
            {
                throw new StorageException($"{path} is damaged: {problem ?? "its name is not that of its content"}");
            }

            return new BlobReader(file, reader);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Deletes a blob; readers that have it open may finish. No error if there is none.</summary>
    public void Delete(long id) => _files.Delete(PathOf(_directory, id));

    /// <summary>The file of a blob.</summary>
    public string FileOf(long id) => PathOf(_directory, id);

    /// <summary>Ids of all finished blobs, ascending: those that nothing refers to are orphans to delete at
    /// start.</summary>
    public IReadOnlyList<long> ListIds()
    {
        var ids = new List<long>();
        foreach (string name in _files.List(_directory, Suffix))
        {
            if (TryParse(name, out long id))
            {
                ids.Add(id);
            }
        }

        return ids;
    }

    /// <summary>Closes the store. What is open stays open.</summary>
    public void Dispose()
    {
    }

    internal static string PathOf(string directory, long id) =>
        directory + "/" + id.ToString("x16", CultureInfo.InvariantCulture) + Suffix;

    private static bool TryParse(string name, out long id) =>
        long.TryParse(
            name.AsSpan(0, name.Length - Suffix.Length),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out id);

    /// <summary>The highest id that may have been given out.</summary>
    private long ReadReserved()
    {
        string path = _directory + "/" + IdsName;
        long highest = ListIds() is [.., long last] ? last : 0;
        if (!_files.Exists(path))
        {
            return highest == 0 ? 0 : highest + LostIdsGap;
        }

        using IFile file = _files.Open(path, FileOpening.Read);
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        string? problem = FileHeader.Check(header[..file.Read(0, header)], FileKind.BlobIds, path, out long reserved);
        return problem is null ? Math.Max(reserved, highest) : highest + LostIdsGap;
    }

    private void WriteReserved(long reserved)
    {
        string part = _directory + "/" + IdsPartName;
        using (IFile file = _files.Open(part, FileOpening.OpenOrCreate))
        {
            Span<byte> header = stackalloc byte[FileHeader.Bytes];
            FileHeader.Write(header, FileKind.BlobIds, reserved);
            file.Write(0, header);
            file.Sync();
        }

        _files.Rename(part, _directory + "/" + IdsName);
        _files.SyncDirectory(_directory);
        _reservedId = reserved;
    }
}

/// <summary>Writes one blob, front to back. One owner.</summary>
public sealed class BlobWriter : IDisposable
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly IFile _file;
    private readonly ChunkFileWriter _writer;
    private bool _isComplete;

    internal BlobWriter(IFileSystem files, string directory, long id)
    {
        _files = files;
        _directory = directory;
        Id = id;
        _file = files.Open(PartPath, FileOpening.CreateNew);
        _writer = new ChunkFileWriter(_file, FileKind.Blob, id);
    }

    private string PartPath => BlobStore.PathOf(_directory, Id) + BlobStore.PartSuffix;

    /// <summary>The blob's id, above 0.</summary>
    public long Id { get; }

    /// <summary>Bytes written so far.</summary>
    public long Length => _writer.Length;

    /// <summary>Adds bytes. Throws <see cref="StorageFullException"/>.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => _writer.Write(bytes);

    /// <summary>Makes the blob valid and durable (one sync of file and directory).</summary>
    public void Complete()
    {
        _writer.Complete();
        _files.Rename(PartPath, BlobStore.PathOf(_directory, Id));
        _isComplete = true;
        _files.SyncDirectory(_directory);
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

/// <summary>Reads one blob. Positioned; one owner, one read at a time.</summary>
public sealed class BlobReader : IDisposable
{
    private readonly IFile _file;
    private readonly ChunkFileReader _reader;
    private byte[]? _slot = ArrayPool<byte>.Shared.Rent(ChunkFile.SlotBytes);
    private long _chunk = -1;

    internal BlobReader(IFile file, ChunkFileReader reader)
    {
        _file = file;
        _reader = reader;
    }

    /// <summary>Bytes of content.</summary>
    public long Length => _reader.Length;

    /// <summary>Reads up to the buffer's size from an offset; fewer only at the end. Verified: throws
    /// <see cref="StorageException"/> when a chunk is damaged.</summary>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        int total = 0;
        while (total < buffer.Length && offset + total < Length)
        {
            long chunk = (offset + total) / ChunkFile.ChunkBytes;
            int within = (int)((offset + total) % ChunkFile.ChunkBytes);
            await LoadAsync(chunk, cancellation).ConfigureAwait(false);
            int count = Math.Min(buffer.Length - total, _reader.BytesOf(chunk) - within);
            _slot.AsMemory(RecordFormat.HeaderBytes + within, count).CopyTo(buffer[total..]);
            total += count;
        }

        return total;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        if (_slot is { } slot)
        {
            _slot = null;
            ArrayPool<byte>.Shared.Return(slot);
        }

        _file.Dispose();
    }

    private async ValueTask LoadAsync(long chunk, CancellationToken cancellation)
    {
        if (_chunk == chunk)
        {
            return;
        }

        byte[] slot = _slot ?? throw new ObjectDisposedException(nameof(BlobReader));
        _chunk = -1;
        await _reader.ReadChunkAsync(chunk, slot, cancellation).ConfigureAwait(false);
        _chunk = chunk;
    }
}
