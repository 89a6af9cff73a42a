#pragma warning disable RS0030 // reason: files that the user names on the command line, no data of a node
namespace Pillarbox.Server.Cli;

/// <summary>Reads files that were named on the command line.</summary>
internal static class CommandFiles
{
    /// <summary>A file's bytes; what hinders it is one line.</summary>
    public static byte[] ReadAll(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Usage, $"cannot read {path}: {e.Message}");
        }
    }

    /// <summary>Whether a directory is there.</summary>
    public static bool IsDirectory(string path) => Directory.Exists(path);

    /// <summary>A file's text, or null when it cannot be read.</summary>
    public static string? TryReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
