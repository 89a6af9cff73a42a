#pragma warning disable CA1822 // bodies follow
namespace Pillarbox.Storage;

/// <summary>
/// Snapshots of an index over a log: checksummed files, each made under a temporary name, synced and renamed. The newest
/// two are kept, so that a damaged one costs only time.
/// </summary>
public static class SnapshotFile
{
    /// <summary>Begins a snapshot of everything below <paramref name="position"/> of the log. One at a time.</summary>
    public static SnapshotWriter Create(IFileSystem files, string directory, long position) =>
        throw new NotSupportedException();

    /// <summary>Opens the newest valid snapshot, all of whose bytes have been verified. A damaged one is set aside as
    /// *.damaged and named in <see cref="SnapshotSearch.Damaged"/>.</summary>
    public static SnapshotSearch OpenNewest(IFileSystem files, string directory) => new(null, []);

    /// <summary>The position of the oldest kept snapshot; 0 if there is none. Segments at or above it must stay.</summary>
    public static long OldestPosition(IFileSystem files, string directory) => 0;
}

/// <summary>What was found.</summary>
/// <param name="Reader">The newest valid snapshot; null if there is none. The caller disposes it.</param>
/// <param name="Damaged">Files that were damaged, newest first.</param>
public sealed record SnapshotSearch(SnapshotReader? Reader, IReadOnlyList<string> Damaged);

/// <summary>Writes one snapshot, front to back. One owner.</summary>
public sealed class SnapshotWriter : IDisposable
{
    /// <summary>Adds bytes; they are read back as one stream.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

    /// <summary>Makes the snapshot valid and durable, and deletes all but the newest two.</summary>
    public void Complete() => throw new NotSupportedException();

    /// <summary>Without <see cref="Complete"/> before it: deletes the unfinished file.</summary>
    public void Dispose()
    {
    }
}

/// <summary>Reads one snapshot, front to back. One owner.</summary>
public sealed class SnapshotReader : IDisposable
{
    /// <summary>The log position it was taken at: replay goes on from here.</summary>
    public long Position => 0;

    /// <summary>Bytes of content.</summary>
    public long Length => 0;

    /// <summary>The next bytes, as many as fit; 0 at the end.</summary>
    public int Read(Span<byte> buffer) => throw new NotSupportedException();

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
    }
}
