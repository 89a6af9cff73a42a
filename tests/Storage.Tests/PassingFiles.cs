namespace Pillarbox.Storage.Tests;

/// <summary>Files that are another file system's: what a test changes of them it overrides.</summary>
internal abstract class PassingFiles(IFileSystem inner) : IFileSystem
{
    public virtual IFile Open(string path, FileOpening opening) => inner.Open(path, opening);

    public virtual string[] List(string directory, string suffix) => inner.List(directory, suffix);

    public long LengthOf(string path) => inner.LengthOf(path);

    public bool Exists(string path) => inner.Exists(path);

    public void Delete(string path) => inner.Delete(path);

    public void Rename(string source, string target) => inner.Rename(source, target);

    public string[] ListDirectories(string directory) => inner.ListDirectories(directory);

    public void CreateDirectory(string directory) => inner.CreateDirectory(directory);

    public void DeleteDirectory(string directory) => inner.DeleteDirectory(directory);

    public void SyncDirectory(string directory) => inner.SyncDirectory(directory);

    public long FreeBytes(string directory) => inner.FreeBytes(directory);

    public IDisposable LockDirectory(string directory) => inner.LockDirectory(directory);
}

/// <summary>A file that is another one: what a test changes of it it overrides.</summary>
internal abstract class PassingFile(IFile inner) : IFile
{
    public long Length => inner.Length;

    public virtual void Write(long offset, ReadOnlySpan<byte> bytes) => inner.Write(offset, bytes);

    public virtual int Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

    public virtual ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
        inner.ReadAsync(offset, buffer, cancellation);

    public void Sync() => inner.Sync();

    public void SetLength(long length) => inner.SetLength(length);

    public void Preallocate(long length) => inner.Preallocate(length);

    public void Dispose() => inner.Dispose();
}
