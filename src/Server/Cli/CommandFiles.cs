#pragma warning disable RS0030 // reason: files that the user names on the command line, no data of a node
namespace Pillarbox.Server.Cli;

/// <summary>Reads and makes files that were named on the command line.</summary>
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

    /// <summary>Makes a new file; what hinders it, such as one that is there already, is one line.</summary>
    public static Stream Create(string path)
    {
        try
        {
            return new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Usage, $"cannot write {path}: {e.Message}");
        }
    }

    /// <summary>A file to which text is added at the end; what hinders it is one line.</summary>
    public static TextWriter Append(string path)
    {
        try
        {
            return new StreamWriter(path, append: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandException(ExitCode.Usage, $"cannot write {path}: {e.Message}");
        }
    }

    /// <summary>Makes a file, or replaces it; what hinders it is one line.</summary>
    public static void Write(string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Usage, $"cannot write {path}: {e.Message}");
        }
    }

    /// <summary>Takes back a file that was made.</summary>
    public static void Delete(string path) => File.Delete(path);

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
