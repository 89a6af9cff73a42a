using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Storage;

/// <summary>How <see cref="IFileSystem.Open"/> treats a file that is, or is not, there.</summary>
public enum FileOpening
{
    /// <summary>The file must exist; reads only.</summary>
    Read,

    /// <summary>The file must exist; reads and writes.</summary>
    ReadWrite,

    /// <summary>The file must not exist; reads and writes.</summary>
    CreateNew,

    /// <summary>Makes the file if it is not there, keeps its bytes if it is; reads and writes.</summary>
    OpenOrCreate,
}

/// <summary>
/// The disk seam. Everything Pillarbox keeps on disk goes through here, so that tests can run on memory, inject faults
/// and replay crashes. All members may be called from any thread. Paths are joined with '/'.
/// Failures surface as <see cref="StorageException"/>: a full disk as <see cref="StorageFullException"/>.
/// </summary>
public interface IFileSystem
{
    /// <summary>Opens or makes a file. The caller disposes it.</summary>
    IFile Open(string path, FileOpening opening);

    /// <summary>True when a file has this path.</summary>
    bool Exists(string path);

    /// <summary>Length of a file in bytes, without opening it where the system can; -1 when it is not there.</summary>
    long LengthOf(string path)
    {
        if (!Exists(path))
        {
            return -1;
        }

        using IFile file = Open(path, FileOpening.Read);
        return file.Length;
    }

    /// <summary>Removes a file; a file that is not there is no error. Durable after
    /// <see cref="SyncDirectory"/>.</summary>
    void Delete(string path);

    /// <summary>Renames a file in one step, replacing the target. Durable after <see cref="SyncDirectory"/>.</summary>
    void Rename(string source, string target);

    /// <summary>Names (without folder) of the files in a directory that end with <paramref name="suffix"/>, in
    /// ordinal order; none when the directory is not there.</summary>
    string[] List(string directory, string suffix);

    /// <summary>Names (without folder) of the directories in a directory, in ordinal order; none when it is not there.
    /// Where directories are only parts of names, those with files.</summary>
    string[] ListDirectories(string directory);

    /// <summary>Makes a directory and its parents; no error when it is there.</summary>
    void CreateDirectory(string directory);

    /// <summary>Removes a directory without files; no error when it is not there, or has files.</summary>
    void DeleteDirectory(string directory)
    {
    }

    /// <summary>Makes creations, renames and removals in a directory durable. Failures as with
    /// <see cref="IFile.Sync"/>.</summary>
    void SyncDirectory(string directory);

    /// <summary>A way to make everything on the disk that holds a directory durable at once, which is far cheaper than
    /// file
    /// by file when there are several; null when there is none. Keep it open: it learns of failures that happen from
    /// then
    /// on.</summary>
    IWholeSync? OpenWholeSync(string directory) => null;

    /// <summary>Bytes that can still be written to the disk that holds a directory.</summary>
    long FreeBytes(string directory);

    /// <summary>Takes the one lock of a directory until disposed. Throws <see cref="StorageException"/> with a text for
    /// the operator when another node holds it.</summary>
    IDisposable LockDirectory(string directory);
}

/// <summary>Makes all files of a disk durable at once. Any thread.</summary>
public interface IWholeSync : IDisposable
{
    /// <summary>What was written before the call, to whichever file, is durable after it. Failures as with
    /// <see cref="IFile.Sync"/>.</summary>
    void Sync();
}

/// <summary>An open file. Positioned reads and writes may run on several threads at once.</summary>
public interface IFile : IDisposable
{
    /// <summary>Length, in bytes.</summary>
    long Length { get; }

    /// <summary>The system's handle, for copying without this program's memory; null when there is none.</summary>
    SafeFileHandle? Handle => null;

    /// <summary>Writes all bytes at an offset, growing the file when needed.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Reads until the buffer is full or the file ends; returns the bytes read.</summary>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Reads until the buffer is full or the file ends; returns the bytes read.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation);

    /// <summary>Makes all written bytes durable (fdatasync). After a failure the file must not be trusted: the system
    /// may have dropped the bytes that it could not write, so a later success proves nothing. For the same reason it
    /// never fails with <see cref="StorageFullException"/>.</summary>
    void Sync();

    /// <summary>Cuts the file, or extends it with zeros.</summary>
    void SetLength(long length);

    /// <summary>Extends the file to at least <paramref name="length"/> bytes with space really reserved on the disk, so
    /// that later writes below it cannot run out of space.</summary>
    void Preallocate(long length);
}
