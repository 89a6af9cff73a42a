namespace Pillarbox.Storage;

/// <summary>What several stores do with files.</summary>
internal static class FileSystemExtensions
{
    /// <summary>Makes a directory, durably.</summary>
    public static void EnsureDirectory(this IFileSystem files, string directory)
    {
        files.CreateDirectory(directory);
        if (Path.GetDirectoryName(directory) is { Length: > 0 } parent)
        {
            files.SyncDirectory(parent);
        }
    }
}
