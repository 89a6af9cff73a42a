#pragma warning disable RS0030 // this is the disk seam: the one place that touches files
using System.ComponentModel;
using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Storage;

/// <summary>Files of the operating system.</summary>
public sealed class DiskFileSystem : IFileSystem
{
    private const string LockName = "lock";

    /// <summary>The one instance.</summary>
    public static readonly DiskFileSystem Instance = new();

    private DiskFileSystem()
    {
    }

    /// <inheritdoc/>
    public IFile Open(string path, FileOpening opening)
    {
        FileMode mode = opening switch
        {
            FileOpening.CreateNew => FileMode.CreateNew,
            FileOpening.OpenOrCreate => FileMode.OpenOrCreate,
            _ => FileMode.Open,
        };
        FileAccess access = opening == FileOpening.Read ? FileAccess.Read : FileAccess.ReadWrite;
        try
        {
            // Sockets send from files that are opened so; to the system it makes no difference.
            FileOptions options = OperatingSystem.IsWindows() ? FileOptions.None : FileOptions.Asynchronous;
            SafeFileHandle handle =
                File.OpenHandle(path, mode, access, FileShare.ReadWrite | FileShare.Delete, options);
            if (opening == FileOpening.CreateNew && !OperatingSystem.IsWindows())
            {
                // Messages and password verifiers are nobody else's business.
                File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            return new DiskFile(path, handle);
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.Translate(error, "open", path);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path) => File.Exists(path);

    /// <inheritdoc/>
    public long LengthOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : -1;
    }

    /// <inheritdoc/>
    public void Delete(string path) => Do("delete", path, static path => File.Delete(path));

    /// <inheritdoc/>
    public void Rename(string source, string target)
    {
        try
        {
            File.Move(source, target, overwrite: true);
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.Translate(error, "rename", source);
        }
    }

    /// <inheritdoc/>
    public string[] List(string directory, string suffix)
    {
        if (!Directory.Exists(directory))
        {
            return [];
        }

        try
        {
            return Directory.EnumerateFiles(directory)
                .Select(path => Path.GetFileName(path))
                .Where(name => name.EndsWith(suffix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .ToArray();
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.Translate(error, "list", directory);
        }
    }

    /// <inheritdoc/>
    public string[] ListDirectories(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return [];
        }

        try
        {
            return Directory.EnumerateDirectories(directory)
                .Select(path => Path.GetFileName(path))
                .Order(StringComparer.Ordinal)
                .ToArray();
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.Translate(error, "list", directory);
        }
    }

    /// <inheritdoc/>
    public void CreateDirectory(string directory)
    {
        if (File.Exists(directory))
        {
            throw new StorageException(
                $"cannot create the directory {directory}: a file of this name is there; name another directory");
        }

        Do("create", directory, static path => Directory.CreateDirectory(path));
    }

    /// <inheritdoc/>
    public void DeleteDirectory(string directory)
    {
        if (Directory.Exists(directory) && !Directory.EnumerateFileSystemEntries(directory).Any())
        {
            Do("delete", directory, static path => Directory.Delete(path));
        }
    }

    /// <inheritdoc/>
    public void SyncDirectory(string directory)
    {
        try
        {
            DiskNative.SyncDirectory(directory);
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.TranslateSync(error, directory);
        }
    }

    /// <inheritdoc/>
    public IWholeSync? OpenWholeSync(string directory)
    {
        try
        {
            return OperatingSystem.IsLinux() ? new DiskWholeSync(directory, DiskNative.OpenFolder(directory)) : null;
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.Translate(error, "open", directory);
        }
    }

    /// <inheritdoc/>
    public long FreeBytes(string directory) => new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace;

    /// <inheritdoc/>
    public IDisposable LockDirectory(string directory)
    {
        CreateDirectory(directory);
        string path = Path.Combine(directory, LockName);
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (DiskErrors.IsHeldByAnother(error))
        {
            throw new StorageException(
                $"{directory} is in use by another node; stop it or choose another directory", error);
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.Translate(error, "lock", path);
        }
    }

    private static void Do(string verb, string path, Action<string> action)
    {
        try
        {
            action(path);
        }
        catch (Exception error) when (DiskErrors.IsDiskError(error))
        {
            throw DiskErrors.Translate(error, verb, path);
        }
    }

    private sealed class DiskWholeSync(string directory, SafeFileHandle handle) : IWholeSync
    {
        public void Sync()
        {
            try
            {
                DiskNative.SyncWhole(handle);
            }
            catch (Exception error) when (DiskErrors.IsDiskError(error))
            {
                throw DiskErrors.TranslateSync(error, $"the disk of {directory}");
            }
        }

        public void Dispose() => handle.Dispose();
    }

    private sealed class DiskFile(string path, SafeFileHandle handle) : IFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public SafeFileHandle Handle => handle;

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            try
            {
                RandomAccess.Write(handle, bytes, offset);
            }
            catch (Exception error) when (DiskErrors.IsDiskError(error))
            {
                throw DiskErrors.Translate(error, "write", path);
            }
        }

        public int Read(long offset, Span<byte> buffer)
        {
            try
            {
                int total = 0;
                while (total < buffer.Length)
                {
                    int count = RandomAccess.Read(handle, buffer[total..], offset + total);
                    if (count == 0)
                    {
                        break;
                    }

                    total += count;
                }

                return total;
            }
            catch (Exception error) when (DiskErrors.IsDiskError(error))
            {
                throw DiskErrors.Translate(error, "read", path);
            }
        }

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            try
            {
                int total = 0;
                while (total < buffer.Length)
                {
                    int count = await RandomAccess
                        .ReadAsync(handle, buffer[total..], offset + total, cancellation).ConfigureAwait(false);
                    if (count == 0)
                    {
                        break;
                    }

                    total += count;
                }

                return total;
            }
            catch (Exception error) when (DiskErrors.IsDiskError(error))
            {
                throw DiskErrors.Translate(error, "read", path);
            }
        }

        public void Sync()
        {
            try
            {
                DiskNative.SyncData(handle);
            }
            catch (Exception error) when (DiskErrors.IsDiskError(error))
            {
                throw DiskErrors.TranslateSync(error, path);
            }
        }

        public void SetLength(long length)
        {
            try
            {
                RandomAccess.SetLength(handle, length);
            }
            catch (Exception error) when (DiskErrors.IsDiskError(error))
            {
                throw DiskErrors.Translate(error, "resize", path);
            }
        }

        public void Preallocate(long length)
        {
            try
            {
                DiskNative.Allocate(handle, length);
            }
            catch (Exception error) when (DiskErrors.IsDiskError(error))
            {
                throw DiskErrors.Translate(error, "reserve space for", path);
            }
        }

        public void Dispose() => handle.Dispose();
    }
}

/// <summary>The system's errors in the words of this room.</summary>
internal static class DiskErrors
{
    // Linux: no space left on device, quota exceeded, file too large for the limits of the process.
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int FileTooLarge = 27;

    public static bool IsDiskError(Exception error) =>
        error is IOException or UnauthorizedAccessException or Win32Exception;

    /// <summary>Another process, or another handle of this one, has the file for itself: EWOULDBLOCK of Linux or macOS,
    /// ERROR_SHARING_VIOLATION of Windows.</summary>
    public static bool IsHeldByAnother(IOException error) => (error.HResult & 0xFFFF) is 11 or 35 or 32;

    /// <summary>A sync that finds no room has lost bytes that the system had taken before: that is a failure, and no
    /// full disk on which the same can be tried again.</summary>
    public static StorageException TranslateSync(Exception error, string what) =>
        new($"cannot sync {what}: {error.Message}", error);

    public static StorageException Translate(Exception error, string verb, string path)
    {
        int code = error is Win32Exception native ? native.NativeErrorCode : error.HResult & 0xFFFF;
        if (error is UnauthorizedAccessException)
        {
            return new StorageException(
                $"no permission to {verb} {path}: give the user that runs the node read and write access", error);
        }

        return code is NoSpace or QuotaExceeded or FileTooLarge
            ? new StorageFullException($"the disk is full (cannot {verb} {path}): free space or add some", error)
            : new StorageException($"cannot {verb} {path}: {error.Message}", error);
    }
}
