#pragma warning disable CA1822 // bodies follow
namespace Pillarbox.Storage;

/// <summary>
/// Large bodies, one file each, in checksummed chunks. Ids are never used twice, not even after a restart.
/// </summary>
public sealed class BlobStore : IDisposable
{
    private BlobStore()
    {
    }

    /// <summary>Opens the store in a directory, which is made when missing; unfinished files are deleted.</summary>
    public static BlobStore Open(IFileSystem files, string directory) => new();

    /// <summary>Begins a new blob. The writer has one owner. Throws <see cref="StorageFullException"/>.</summary>
    public BlobWriter Create() => throw new NotSupportedException();

    /// <summary>Opens a finished blob to read. Throws <see cref="StorageException"/> if there is none.</summary>
    public BlobReader OpenRead(long id) => throw new NotSupportedException();

    /// <summary>Deletes a blob; readers that have it open may finish. No error if there is none.</summary>
    public void Delete(long id)
    {
    }

    /// <summary>Ids of all finished blobs, ascending: those that nothing refers to are orphans to delete at start.</summary>
    public IReadOnlyList<long> ListIds() => [];

    /// <summary>Closes the store.</summary>
    public void Dispose()
    {
    }
}

/// <summary>Writes one blob, front to back. One owner.</summary>
public sealed class BlobWriter : IDisposable
{
    /// <summary>The blob's id, above 0.</summary>
    public long Id => 0;

    /// <summary>Bytes written so far.</summary>
    public long Length => 0;

    /// <summary>Adds bytes. Throws <see cref="StorageFullException"/>.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

    /// <summary>Makes the blob valid and durable (one sync of file and directory).</summary>
    public void Complete() => throw new NotSupportedException();

    /// <summary>Without <see cref="Complete"/> before it: deletes the unfinished file.</summary>
    public void Dispose()
    {
    }
}

/// <summary>Reads one blob. Positioned; one owner.</summary>
public sealed class BlobReader : IDisposable
{
    /// <summary>Bytes of content.</summary>
    public long Length => 0;

    /// <summary>Reads up to the buffer's size from an offset; fewer only at the end. Verified: throws
    /// <see cref="StorageException"/> when a chunk is damaged.</summary>
    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
        throw new NotSupportedException();

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
    }
}
