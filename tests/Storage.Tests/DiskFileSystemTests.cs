using System.Diagnostics;

namespace Pillarbox.Storage.Tests;

public sealed class DiskFileSystemTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private static DiskFileSystem Files => DiskFileSystem.Instance;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task BytesAreWrittenAndReadAtOffsets()
    {
        using IFile file = Files.Open(PathOf("a"), FileOpening.CreateNew);
        file.Write(10, "hello"u8);
        Assert.Equal(15, file.Length);
        byte[] buffer = new byte[20];
        Assert.Equal(5, file.Read(10, buffer));
        Assert.Equal("hello"u8.ToArray(), buffer[..5]);
        Assert.Equal(15, await file.ReadAsync(0, buffer, TestContext.Current.CancellationToken));
        Assert.Equal(0, file.Read(100, buffer));
        file.Sync();
        file.SetLength(12);
        Assert.Equal(2, file.Read(10, buffer));
    }

    [Fact]
    public void PreallocatedBytesAreThereAndZero()
    {
        using IFile file = Files.Open(PathOf("a"), FileOpening.CreateNew);
        file.Write(0, "xy"u8);
        file.Preallocate(1 << 20);
        Assert.Equal(1 << 20, file.Length);
        byte[] buffer = new byte[4];
        file.Read(0, buffer);
        Assert.Equal([(byte)'x', (byte)'y', 0, 0], buffer);
        file.Preallocate(10);
        Assert.Equal(1 << 20, file.Length);
    }

    [Fact]
    public void NamesAreListedRenamedAndDeleted()
    {
        Files.CreateDirectory(PathOf("d/e"));
        foreach (string name in (string[])["b.x", "a.x", "c.y"])
        {
            Files.Open(PathOf("d/e/" + name), FileOpening.CreateNew).Dispose();
        }

        Assert.Equal(["a.x", "b.x"], Files.List(PathOf("d/e"), ".x"));
        Files.Rename(PathOf("d/e/a.x"), PathOf("d/e/b.x"));
        Files.SyncDirectory(PathOf("d/e"));
        Assert.Equal(["b.x"], Files.List(PathOf("d/e"), ".x"));
        Files.Delete(PathOf("d/e/b.x"));
        Files.Delete(PathOf("d/e/b.x"));
        Assert.False(Files.Exists(PathOf("d/e/b.x")));
        Assert.Empty(Files.List(PathOf("nowhere"), ""));
        Assert.True(Files.FreeBytes(_directory.Path) > 0);
    }

    [Fact]
    public void OpeningSaysWhatIsWrong()
    {
        Assert.Contains(
            "cannot open",
            Assert.Throws<StorageException>(() => Files.Open(PathOf("none"), FileOpening.Read)).Message,
            StringComparison.Ordinal);
        Files.Open(PathOf("there"), FileOpening.CreateNew).Dispose();
        Assert.Throws<StorageException>(() => Files.Open(PathOf("there"), FileOpening.CreateNew));

        // A directory is refused in the same way as a file without permission, for every user.
        StorageException refused = Assert.Throws<StorageException>(
            () => Files.Open(_directory.Path, FileOpening.ReadWrite));
        Assert.Contains("give the user that runs the node", refused.Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => Files.SyncDirectory(PathOf("none")));
    }

    [Fact]
    public void TheSystemsErrorsHaveOurNames()
    {
        Assert.IsType<StorageFullException>(DiskErrors.Translate(new IOException("no space", 28), "write", "f"));
        Assert.IsType<StorageFullException>(
            DiskErrors.Translate(new System.ComponentModel.Win32Exception(122), "write", "f"));
        Assert.IsType<StorageException>(DiskErrors.Translate(new IOException("broken", 5), "write", "f"));
        Assert.IsType<StorageException>(DiskErrors.TranslateSync(new IOException("no space", 28), "f"));
    }

    [Fact]
    public void OnlyOneHolderHasTheDirectory()
    {
        using (Files.LockDirectory(_directory.Path))
        {
            StorageException error = Assert.Throws<StorageException>(() => Files.LockDirectory(_directory.Path));
            Assert.Contains("in use by another node", error.Message, StringComparison.Ordinal);
        }

        Files.LockDirectory(_directory.Path).Dispose();
    }

    [Fact]
    public void ALockThatCannotBeOpenedIsNotTakenForAnotherNode()
    {
        File.CreateSymbolicLink(PathOf("lock"), PathOf("lock"));
        StorageException error = Assert.Throws<StorageException>(() => Files.LockDirectory(_directory.Path));
        Assert.Contains("cannot lock", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("another node", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASecondProcessIsKeptOutAndKeepsUsOut()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/flock"), "needs flock of util-linux");
        using (Files.LockDirectory(_directory.Path))
        {
            Assert.NotEqual(0, RunFlock("true").ExitCode);
        }

        using Process holder = StartFlock("sleep 60");
        try
        {
            while (TryLock())
            {
                Thread.Sleep(5);
            }
        }
        finally
        {
            holder.Kill(entireProcessTree: true);
            holder.WaitForExit();
        }
    }

    private bool TryLock()
    {
        try
        {
            Files.LockDirectory(_directory.Path).Dispose();
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    private Process RunFlock(string command)
    {
        Process process = StartFlock(command);
        process.WaitForExit();
        return process;
    }

    private Process StartFlock(string command) =>
        Process.Start("/usr/bin/flock", ["--nonblock", "--no-fork", PathOf("lock"), .. command.Split(' ')]);

    private string PathOf(string name) => _directory.Path + "/" + name;
}
