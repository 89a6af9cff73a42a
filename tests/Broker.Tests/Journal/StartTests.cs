using Microsoft.Win32.SafeHandles;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Journal;

public sealed class StartTests
{
    [Fact]
    public void A_start_that_fails_half_way_closes_what_it_has_opened()
    {
        var files = new CountingFiles();
        BrokerOptions options = new()
        {
            FileSystem = files,
            DataDirectory = "data",
            Time = new HandClock(),
            Random = new Pillarbox.Model.SeededRandom(1),
            Shards = 1,
            OwnThreads = false,
            SegmentBytes = 1 << 20,
        };
        MessageBroker.Open(options).Dispose();
        Assert.Equal(0, files.OpenFiles);
        files.Refused = DataLayout.Checkpoints;
        Assert.Throws<StorageException>(() => MessageBroker.Open(options));
        Assert.Equal(0, files.OpenFiles);
        files.Refused = null;
        MessageBroker.Open(options).Dispose();
    }

    /// <summary>Counts the files that are open, and lists no directory that it is told to refuse.</summary>
    private sealed class CountingFiles : IFileSystem
    {
        private readonly MemoryFileSystem _inner = new();

        public int OpenFiles { get; private set; }

        public string? Refused { get; set; }

        public IFile Open(string path, FileOpening opening)
        {
            var file = new CountedFile(_inner.Open(path, opening), () => OpenFiles--);
            OpenFiles++;
            return file;
        }

        public string[] List(string directory, string suffix) =>
            Refused is not null && directory.EndsWith(Refused, StringComparison.Ordinal)
                ? throw new StorageException($"cannot list {directory}")
                : _inner.List(directory, suffix);

        public bool Exists(string path) => _inner.Exists(path);

        public void Delete(string path) => _inner.Delete(path);

        public void Rename(string source, string target) => _inner.Rename(source, target);

        public string[] ListDirectories(string directory) => _inner.ListDirectories(directory);

        public void CreateDirectory(string directory) => _inner.CreateDirectory(directory);

        public void SyncDirectory(string directory) => _inner.SyncDirectory(directory);

        public long FreeBytes(string directory) => _inner.FreeBytes(directory);

        public IDisposable LockDirectory(string directory) => _inner.LockDirectory(directory);
    }

    private sealed class CountedFile(IFile inner, Action closed) : IFile
    {
        private bool _isClosed;

        public long Length => inner.Length;

        public SafeFileHandle? Handle => inner.Handle;

        public void Write(long offset, ReadOnlySpan<byte> bytes) => inner.Write(offset, bytes);

        public int Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
            inner.ReadAsync(offset, buffer, cancellation);

        public void Sync() => inner.Sync();

        public void SetLength(long length) => inner.SetLength(length);

        public void Preallocate(long length) => inner.Preallocate(length);

        public void Dispose()
        {
            if (!_isClosed)
            {
                _isClosed = true;
                closed();
            }

            inner.Dispose();
        }
    }
}
