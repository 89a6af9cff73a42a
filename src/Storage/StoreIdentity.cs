using Pillarbox.Model;

namespace Pillarbox.Storage;

/// <summary>
/// A number that tells one data directory from every other, drawn once and kept in a file of its own: positions in the
/// log of one say nothing about the log of another.
/// </summary>
public static class StoreIdentity
{
    /// <summary>The file's name in the data directory.</summary>
    public const string FileName = "identity";

    /// <summary>
    /// Reads the number, or draws and keeps one when there is none that can be read. When the disk does not take it, it
    /// counts for this run only.
    /// </summary>
    public static long Open(IFileSystem files, string directory, IRandom random)
    {
        string path = directory + "/" + FileName;
        try
        {
            return TryRead(files, path, out long kept) ? kept : Write(files, directory, path, Draw(random));
        }
        catch (StorageException)
        {
            return Draw(random);
        }
    }

    /// <summary>A number that nobody else has.</summary>
    public static long Draw(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        random.Fill(bytes);
        return BitConverter.ToInt64(bytes);
    }

    private static bool TryRead(IFileSystem files, string path, out long value)
    {
        value = 0;
        if (!files.Exists(path))
        {
            return false;
        }

        using IFile file = files.Open(path, FileOpening.Read);
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        return FileHeader.Check(header[..file.Read(0, header)], FileKind.Identity, path, out value) is null;
    }

    private static long Write(IFileSystem files, string directory, string path, long value)
    {
        string part = path + ".part";
        using (IFile file = files.Open(part, FileOpening.OpenOrCreate))
        {
            Span<byte> header = stackalloc byte[FileHeader.Bytes];
            FileHeader.Write(header, FileKind.Identity, value);
            file.Write(0, header);
            file.Sync();
        }

        files.Rename(part, path);
        files.SyncDirectory(directory);
        return value;
    }
}
