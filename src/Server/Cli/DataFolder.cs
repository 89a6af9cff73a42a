using Pillarbox.Storage;

namespace Pillarbox.Server.Cli;

/// <summary>The data directory that a verb is told to look at.</summary>
internal static class DataFolder
{
    /// <summary>The directory, without a slash at its end. One that no node has written is refused: it would look good,
    /// for nothing is in it.</summary>
    public static string Existing(string directory)
    {
        string root = directory.Length > 1 ? directory.TrimEnd('/') : directory;
        if (!CommandFiles.IsDirectory(root))
        {
            throw new CommandException(ExitCode.NotFound, $"there is no data directory {root}");
        }

        return CommandFiles.IsDirectory($"{root}/{DataLayout.Journal}")
            ? root
            : throw new CommandException(
                ExitCode.NotFound, $"{root} is no data directory: it has no folder {DataLayout.Journal}");
    }
}
