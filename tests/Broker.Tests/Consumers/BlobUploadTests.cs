using Pillarbox.Broker.Consumers;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Consumers;

/// <summary>Large bodies on their way to a file: in order, bounded, and off the connection's thread.</summary>
public sealed class BlobUploadTests : IDisposable
{
    private const int MiB = 1 << 20;
    private readonly GatedFileSystem _files = new(new MemoryFileSystem());
    private readonly BlobStore _blobs;

    public BlobUploadTests() => _blobs = BlobStore.Open(_files, "large");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _blobs.Dispose();
        _files.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pieces_come_out_in_order(bool ownThreads)
    {
        byte[] bytes = [.. Enumerable.Range(0, 5 * MiB).Select(i => (byte)(i * 31 >> 7))];
        var upload = new BlobUpload(_blobs, ownThreads);
        for (int at = 0; at < bytes.Length; at += 100_000)
        {
            if (!upload.Add(bytes.AsSpan(at, Math.Min(100_000, bytes.Length - at))))
            {
                await upload.ReadyAsync().WaitAsync(Cancellation);
            }
        }

        upload.Finish();
        await upload.ReadyAsync().WaitAsync(Cancellation);
        Assert.True(upload.IsDone);
        Assert.Null(upload.Fault);
        using BlobReader reader = _blobs.OpenRead(upload.Id);
        byte[] read = new byte[bytes.Length];
        Assert.Equal(bytes.Length, await reader.ReadAsync(0, read, Cancellation));
        Assert.Equal(bytes, read);
    }

    [Fact]
    public async Task Slow_disk_pushes_back_and_holds_nobody_up()
    {
        _files.Close();
        var upload = new BlobUpload(_blobs, ownThreads: true);
        int added = 0;
        while (upload.Add(new byte[64 << 10]))
        {
            Assert.True(++added < 100, "nothing pushed back");
        }

        Task ready = upload.ReadyAsync();
        Assert.False(ready.IsCompleted);
        Assert.False(upload.Finish());
        _files.Open();
        await ready.WaitAsync(Cancellation);
        await upload.ReadyAsync().WaitAsync(Cancellation);
        Assert.True(upload.IsDone);
        Assert.Single(_blobs.ListIds());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Aborted_upload_leaves_no_file(bool finished)
    {
        var upload = new BlobUpload(_blobs, ownThreads: true);
        upload.Add(new byte[MiB]);
        if (finished)
        {
            upload.Finish();
        }

        upload.Abort();
        while (_files.List("large", ".blob").Length + _files.List("large", ".part").Length > 0)
        {
            await Task.Delay(1, Cancellation);
        }
    }

    [Fact]
    public async Task Full_disk_is_told_at_the_end_and_the_rest_is_dropped()
    {
        var faults = new FileFaults();
        var faulty = new FaultyFileSystem(new MemoryFileSystem(), faults, new Model.SeededRandom(1));
        using BlobStore blobs = BlobStore.Open(faulty, "large");
        var upload = new BlobUpload(blobs, ownThreads: true);
        upload.Add(new byte[MiB]);
        await upload.ReadyAsync().WaitAsync(Cancellation);
        faults.CapacityBytes = 0;
        for (int i = 0; i < 200; i++)
        {
            if (!upload.Add(new byte[64 << 10]))
            {
                await upload.ReadyAsync().WaitAsync(Cancellation);
            }
        }

        upload.Finish();
        await upload.ReadyAsync().WaitAsync(Cancellation);
        Assert.IsType<StorageFullException>(upload.Fault);
    }
}
