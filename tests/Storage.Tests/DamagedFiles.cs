using System.Text;

namespace Pillarbox.Storage.Tests;

/// <summary>Bytes that change on the disk.</summary>
internal static class DamagedFiles
{
    /// <summary>Changes a byte wherever a text begins in the files of a folder; how often it did.</summary>
    public static int Damage(this IFileSystem files, string folder, string text)
    {
        int found = 0;
        foreach (string name in files.List(folder, ""))
        {
            using IFile file = files.Open($"{folder}/{name}", FileOpening.ReadWrite);
            byte[] bytes = new byte[file.Length];
            file.Read(0, bytes);
            int from = 0;
            while (bytes.AsSpan(from).IndexOf(Encoding.UTF8.GetBytes(text)) is >= 0 and var at)
            {
                file.Write(from + at, [(byte)char.ToUpperInvariant(text[0])]);
                from += at + text.Length;
                found++;
            }
        }

        return found;
    }
}
