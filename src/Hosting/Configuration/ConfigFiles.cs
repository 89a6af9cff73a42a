using System.Text;

namespace Pillarbox.Hosting.Configuration;

/// <summary>
/// Reads the small files that the operator names (configuration, certificates, passwords). They are not the node's
/// data, so they
/// do not go through the disk seam of storage.
/// </summary>
internal static class ConfigFiles
{
#pragma warning disable RS0030 // the one place where files that an operator wrote are read
    /// <summary>
    /// The text of a file. Throws what the system throws, and <see cref="IOException"/> when it is larger than
    /// allowed.
    /// </summary>
    public static string ReadText(string path, int bytesMax)
    {
        using FileStream file = File.OpenRead(path);
        if (file.Length > bytesMax)
        {
            throw new IOException($"is {file.Length} bytes long; at most {bytesMax} are read");
        }

        using var reader = new StreamReader(file, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>The files of a directory whose names end so, in the order of their names.</summary>
    public static IReadOnlyList<string> List(string directory, string ending) =>
        [.. Directory.EnumerateFiles(directory, $"*{ending}").Order(StringComparer.Ordinal)];

    /// <summary>Whether a file is there.</summary>
    public static bool Exists(string path) => File.Exists(path);
#pragma warning restore RS0030

    /// <summary>The system's error in the operator's words.</summary>
    public static string Explain(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "no permission to read it",
        _ => e.Message.ReplaceLineEndings(" "),
    };
}
