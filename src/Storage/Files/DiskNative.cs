#pragma warning disable RS0030 // this is the disk seam: what the framework does not offer
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Storage;

/// <summary>System calls that the framework does not offer: fdatasync, fsync of a directory, real allocation.</summary>
internal static partial class DiskNative
{
    private const int OpenDirectory = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC (O_RDONLY is 0)
    private const int Interrupted = 4;
    private const int NotSupported = 95;
    private const int Invalid = 22;
    private const int ZeroBytes = 1 << 20;

    /// <summary>fdatasync: the data and what is needed to read it back, not the times of the file.</summary>
    public static void SyncData(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        while (DataSync(handle) != 0)
        {
            ThrowUnlessInterrupted();
        }
    }

    /// <summary>Makes the entries of a directory durable.</summary>
    public static void SyncDirectory(string directory)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using SafeFileHandle handle = OpenFolder(directory);
        while (FullSync(handle) != 0)
        {
            ThrowUnlessInterrupted();
        }
    }

    /// <summary>Opens a directory, to be synced. Linux.</summary>
    public static SafeFileHandle OpenFolder(string directory)
    {
        int descriptor = OpenPath(directory, OpenDirectory);
        return descriptor < 0
            ? throw new Win32Exception(Marshal.GetLastPInvokeError())
            : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>syncfs: all files of the file system that holds an open one. Linux; reports failures since 5.8.
    /// </summary>
    public static void SyncWhole(SafeFileHandle handle)
    {
        while (FileSystemSync(handle) != 0)
        {
            ThrowUnlessInterrupted();
        }
    }

    /// <summary>Reserves blocks for the whole file up to <paramref name="length"/>.</summary>
    public static void Allocate(SafeFileHandle handle, long length)
    {
        long have = RandomAccess.GetLength(handle);
        if (have >= length)
        {
            return;
        }

        int error = OperatingSystem.IsLinux() ? AllocateLinux(handle, have, length) : NotSupported;
        if (error is NotSupported or Invalid)
        {
            WriteZeros(handle, have, length);
        }
        else if (error != 0)
        {
            throw new Win32Exception(error);
        }
    }

    private static int AllocateLinux(SafeFileHandle handle, long have, long length)
    {
        int error;
        do
        {
            error = Allocate(handle, have, length - have);
        }
        while (error == Interrupted);

        return error;
    }

    private static void WriteZeros(SafeFileHandle handle, long from, long to)
    {
        byte[] zeros = new byte[ZeroBytes];
        for (long at = from; at < to; at += ZeroBytes)
        {
            RandomAccess.Write(handle, zeros.AsSpan(0, (int)Math.Min(ZeroBytes, to - at)), at);
        }
    }

    private static void ThrowUnlessInterrupted()
    {
        int error = Marshal.GetLastPInvokeError();
        if (error != Interrupted)
        {
            throw new Win32Exception(error);
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FullSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int FileSystemSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenPath(string path, int flags);

    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int Allocate(SafeFileHandle handle, long offset, long length);
}
