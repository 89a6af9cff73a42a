using Pillarbox.Storage;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Counts the bytes that are read from files of large bodies, and breaks them when it is told to.</summary>
internal sealed class MeteredFiles(IFileSystem inner) : IFileSystem
{
    /// <summary>Bytes read from files of large bodies.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Whether what is read of them is wrong from now on.</summary>
    public bool IsBroken { get; set; }

    public IFile Open(string path, FileOpening opening)
    {
        IFile file = inner.Open(path, opening);
        return opening == FileOpening.Read && path.EndsWith(".blob", StringComparison.Ordinal)
            ? new MeteredFile(this, file)
            : file;
    }

    public bool Exists(string path) => inner.Exists(path);

    public void Delete(string path) => inner.Delete(path);

    public void Rename(string source, string target) => inner.Rename(source, target);

    public string[] List(string directory, string suffix) => inner.List(directory, suffix);

    public string[] ListDirectories(string directory) => inner.ListDirectories(directory);

    public void CreateDirectory(string directory) => inner.CreateDirectory(directory);

    public void SyncDirectory(string directory) => inner.SyncDirectory(directory);

    public long FreeBytes(string directory) => inner.FreeBytes(directory);

    public IDisposable LockDirectory(string directory) => inner.LockDirectory(directory);

    private sealed class MeteredFile(MeteredFiles files, IFile inner) : IFile
    {
        public long Length => inner.Length;

        public void Write(long offset, ReadOnlySpan<byte> bytes) => inner.Write(offset, bytes);

        public int Read(long offset, Span<byte> buffer) => Count(inner.Read(offset, buffer), buffer);

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
            Count(await inner.ReadAsync(offset, buffer, cancellation), buffer.Span);

        public void Sync() => inner.Sync();

        public void SetLength(long length) => inner.SetLength(length);

        public void Preallocate(long length) => inner.Preallocate(length);

        public void Dispose() => inner.Dispose();

        private int Count(int read, Span<byte> buffer)
        {
            files.BytesRead += read;
            if (files.IsBroken)
            {
                buffer[..read].Reverse();
            }

            return read;
        }
    }
}
