namespace Pillarbox.Storage;

/// <summary>Small files that are read whole and replaced whole: written beside, synced, renamed. Any thread; whoever
/// replaces a file takes care that nobody else does at the same time.</summary>
public static class WholeFile
{
    /// <summary>The file's bytes; null when there is none. Throws <see cref="StorageException"/>, also for a file that
    /// is larger than <paramref name="bytesMax"/>.</summary>
    public static byte[]? Read(IFileSystem files, string path, int bytesMax)
    {
        if (!files.Exists(path))
        {
            return null;
        }

        using IFile file = files.Open(path, FileOpening.Read);
        if (file.Length > bytesMax)
        {
            throw new StorageException($"{path} is larger than {bytesMax} bytes: it is not a file of this program");
        }

        byte[] bytes = new byte[file.Length];
        int read = file.Read(0, bytes);
        return bytes[..read];
    }

    /// <summary>Makes these the file's bytes, durably: after a crash it has the old ones or these. Throws
    /// <see cref="StorageException"/>.</summary>
    public static void Replace(IFileSystem files, string path, ReadOnlySpan<byte> bytes)
    {
        string beside = path + ".new";
        files.Delete(beside);
        using (IFile file = files.Open(beside, FileOpening.CreateNew))
        {
            file.Write(0, bytes);
            file.Sync();
        }

        files.Rename(beside, path);
        int slash = path.LastIndexOf('/');
        files.SyncDirectory(slash < 0 ? "." : path[..Math.Max(slash, 1)]);
    }
}
