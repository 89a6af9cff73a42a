using Pillarbox.Storage;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Files of large bodies whose reads wait while they are stopped: a disk that takes its time.</summary>
internal sealed class SlowReads(IFileSystem inner) : IFileSystem
{
    private TaskCompletionSource? _gate;

    /// <summary>Reads that wait.</summary>
    public int Waiting { get; private set; }

    public void Stop() => _gate = new TaskCompletionSource();

    public void GoOn()
    {
        _gate?.TrySetResult();
        _gate = null;
    }

    public IFile Open(string path, FileOpening opening) =>
        path.Contains($"/{DataLayout.Large}/", StringComparison.Ordinal)
            ? new SlowFile(this, inner.Open(path, opening))
            : inner.Open(path, opening);

    public bool Exists(string path) => inner.Exists(path);

    public void Delete(string path) => inner.Delete(path);

    public void Rename(string source, string target) => inner.Rename(source, target);

    public string[] List(string directory, string suffix) => inner.List(directory, suffix);

    public string[] ListDirectories(string directory) => inner.ListDirectories(directory);

    public void CreateDirectory(string directory) => inner.CreateDirectory(directory);

    public void SyncDirectory(string directory) => inner.SyncDirectory(directory);

    public long FreeBytes(string directory) => inner.FreeBytes(directory);

    public IDisposable LockDirectory(string directory) => inner.LockDirectory(directory);

    private sealed class SlowFile(SlowReads owner, IFile file) : IFile
    {
        public long Length => file.Length;

        public void Write(long offset, ReadOnlySpan<byte> bytes) => file.Write(offset, bytes);

        public int Read(long offset, Span<byte> buffer) => file.Read(offset, buffer);

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            if (owner._gate is { } gate)
            {
                owner.Waiting++;
                await gate.Task.ConfigureAwait(false);
                owner.Waiting--;
            }

            return await file.ReadAsync(offset, buffer, cancellation).ConfigureAwait(false);
        }

        public void Sync() => file.Sync();

        public void SetLength(long length) => file.SetLength(length);

        public void Preallocate(long length) => file.Preallocate(length);

        public void Dispose() => file.Dispose();
    }
}
