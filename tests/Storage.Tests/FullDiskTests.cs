using System.Diagnostics;

namespace Pillarbox.Storage.Tests;

/// <summary>A disk that is really full: a memory disk of one megabyte, where the system lets us mount one.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly bool _isMounted;

    public FullDiskTests() =>
        _isMounted = OperatingSystem.IsLinux()
            && Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", _directory.Path);

    public void Dispose()
    {
        if (_isMounted)
        {
            Run("umount", _directory.Path);
        }

        _directory.Dispose();
    }

    [Fact]
    public async Task ProducersStopConsumersGoOnAndItResumesByItself()
    {
        Assert.SkipUnless(_isMounted, "needs the right to mount a memory disk");
        var options = new LogOptions { SegmentBytes = 64 << 10, BlockBytes = 16 << 10, CacheBytes = 64 << 10 };
        string path = _directory.Path + "/log";
        using (SegmentedLog log = SegmentedLog.Open(DiskFileSystem.Instance, path, options))
        {
            var full = new TaskCompletionSource();
            var resumed = new TaskCompletionSource();
            log.SpaceStateChanged = state => (state == SpaceState.Full ? full : resumed).TrySetResult();
            log.Replay(0, new RecordList());
            int appended = AppendUntilFull(log);
            await full.Task;
            Assert.InRange(appended, 400, 1100);

            var batch = new LogBatch { Essential = true };
            batch.Add(2, "settlement"u8);
            await DurableAsync(log, log.Append(batch) + batch.Bytes);

            log.Reclaim(log.DurablePosition);
            await resumed.Task;
            await DurableAsync(log, log.AppendText("again") + 1);
        }

        using SegmentedLog again = SegmentedLog.Open(DiskFileSystem.Instance, path, options);
        var list = new RecordList();
        Assert.Empty(again.Replay(again.HeadPosition, list).Damages);
        Assert.Equal("again", list.Seen[^1].Text);
    }

    [Fact]
    public void ABlobThatDoesNotFitLeavesNothing()
    {
        Assert.SkipUnless(_isMounted, "needs the right to mount a memory disk");
        using BlobStore store = BlobStore.Open(DiskFileSystem.Instance, _directory.Path + "/large");
        using (BlobWriter writer = store.Create())
        {
            Assert.Throws<StorageFullException>(() => writer.Write(new byte[2 << 20]));
        }

        using BlobWriter small = store.Create();
        small.Write(new byte[100_000]);
        small.Complete();
        Assert.Equal([small.Id], store.ListIds());
    }

    private static int AppendUntilFull(SegmentedLog log)
    {
        string text = new('x', 1000);
        for (int i = 0; i < 10_000; i++)
        {
            try
            {
                log.AppendText(text);
            }
            catch (StorageFullException)
            {
                return i;
            }
        }

        throw new InvalidOperationException("the disk never became full");
    }

    private static async Task DurableAsync(SegmentedLog log, long position)
    {
        var waiter = new TestWaiter();
        log.WhenDurable(position, waiter);
        await waiter.Done;
    }

    private static bool Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
