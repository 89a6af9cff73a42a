using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Consumers;

/// <summary>Files whose writes wait while the gate is closed: a disk that hangs.</summary>
internal sealed class GatedFileSystem(IFileSystem inner) : IFileSystem, IDisposable
{
    private readonly ManualResetEventSlim _gate = new(initialState: true);

    public void Close() => _gate.Reset();

    public void Open() => _gate.Set();

    public IFile Open(string path, FileOpening opening) => new GatedFile(inner.Open(path, opening), _gate);

    public bool Exists(string path) => inner.Exists(path);

    public void Delete(string path) => inner.Delete(path);

    public void Rename(string source, string target) => inner.Rename(source, target);

    public string[] List(string directory, string suffix) => inner.List(directory, suffix);

    public string[] ListDirectories(string directory) => inner.ListDirectories(directory);

    public void CreateDirectory(string directory) => inner.CreateDirectory(directory);

    public void SyncDirectory(string directory) => inner.SyncDirectory(directory);

    public long FreeBytes(string directory) => inner.FreeBytes(directory);

    public IDisposable LockDirectory(string directory) => inner.LockDirectory(directory);

    /// <summary>Lets go of whoever waits; a thread that still writes may look at the gate after the test.</summary>
    public void Dispose() => _gate.Set();

    private sealed class GatedFile(IFile file, ManualResetEventSlim gate) : IFile
    {
        public long Length => file.Length;

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            gate.Wait();
            file.Write(offset, bytes);
        }

        public int Read(long offset, Span<byte> buffer) => file.Read(offset, buffer);

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
            file.ReadAsync(offset, buffer, cancellation);

        public void Sync() => file.Sync();

        public void SetLength(long length) => file.SetLength(length);

        public void Preallocate(long length) => file.Preallocate(length);

        public void Dispose() => file.Dispose();
    }
}
