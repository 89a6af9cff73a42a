using Microsoft.CodeAnalysis.CSharp;

namespace Pillarbox.Tidy.Tests;

/// <summary>The files of this repository as the tests see them: paths with '/', relative to the root.</summary>
internal static class Repository
{
    private static readonly string[] FoldersNotOurs =
        ["artifacts", "node_modules", "data", ".git", "bin", "obj", "__pycache__"];

    private static readonly string[] TextEndings =
        [".cs", ".md", ".csproj", ".props", ".targets", ".slnx", ".json", ".py", ".js", ".c", ".txt", ".editorconfig"];

    public static string Root { get; } = FindRoot();

    /// <summary>Every text file that we wrote, lock files left out.</summary>
    public static IReadOnlyList<string> TextFiles { get; } = [.. Walk(Root)
        .Where(p => TextEndings.Any(e => p.EndsWith(e, StringComparison.Ordinal)))
        .Where(p => !p.EndsWith(".lock.json", StringComparison.Ordinal))
        .Where(p => !p.EndsWith("package-lock.json", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)];

    public static IReadOnlyList<CodeFile> CodeFiles { get; } = [.. TextFiles
        .Where(p => p.EndsWith(".cs", StringComparison.Ordinal))
        .Select(CodeFile.Read)];

    public static IEnumerable<CodeFile> ProductCode =>
        CodeFiles.Where(f => f.Path.StartsWith("src/", StringComparison.Ordinal));

    public static IEnumerable<string> Projects =>
        TextFiles.Where(p => p.EndsWith(".csproj", StringComparison.Ordinal));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Exists(string path) => File.Exists(Path.Combine(Root, path));

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Pillarbox.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("Pillarbox.slnx stands in no folder above the test.");
    }

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
            yield return Path.GetRelativePath(Root, file).Replace('\\', '/');
        foreach (string inner in Directory.EnumerateDirectories(folder))
        {
            if (FoldersNotOurs.Contains(Path.GetFileName(inner))) continue;
            foreach (string file in Walk(inner)) yield return file;
        }
    }
}

/// <summary>One parsed C# file.</summary>
internal sealed record CodeFile(string Path, string Text, Microsoft.CodeAnalysis.SyntaxTree Tree)
{
    public string[] Lines => Text.Split('\n');

    public static CodeFile Read(string path)
    {
        string text = Repository.Read(path);
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        return new CodeFile(path, text, CSharpSyntaxTree.ParseText(text, options, path));
    }

    /// <summary>"path:line" of a node, as editors understand it.</summary>
    public string At(Microsoft.CodeAnalysis.SyntaxNode node) =>
        $"{Path}:{Tree.GetLineSpan(node.Span).StartLinePosition.Line + 1}";
}
