using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Pillarbox.Tidy.Tests;

/// <summary>What the documents claim is there, is there.</summary>
public sealed partial class DocumentTests
{
    private static IEnumerable<string> Documents =>
        Repository.TextFiles.Where(p => p.EndsWith(".md", StringComparison.Ordinal));

    [Fact]
    public void Every_verb_of_do_in_the_documents_exists()
    {
        var verbs = VerbPattern().Matches(Repository.Read("do.cs")).Select(m => m.Groups[1].Value).ToHashSet();
        Assert.Contains("test", verbs);
        var found = from path in Documents
                    from match in DoCommand().Matches(Repository.Read(path))
                    where !verbs.Contains(match.Groups[1].Value)
                    select $"{path} says `{match.Value}`, do.cs has no such verb";
        Findings.None(found);
    }

    [Fact]
    public void Continuous_integration_runs_the_test_command_of_the_readme()
    {
        Assert.Contains("./do.cs test", Repository.Read("README.md"), StringComparison.Ordinal);
        Assert.Contains("./do.cs test", Repository.Read(".ci/run"), StringComparison.Ordinal);
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        var found = from path in Documents
                    from match in Link().Matches(Repository.Read(path))
                    let target = match.Groups[1].Value.Split('#')[0]
                    where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)
                    let full = Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(path)!, target))
                    where !Path.Exists(full)
                    select $"{path} links to {target}";
        Findings.None(found);
    }

    [Fact]
    public void Files_named_in_documents_exist()
    {
        var found = from path in Documents
                    where !path.EndsWith("CHANGELOG.md", StringComparison.Ordinal)
                    from match in QuotedFile().Matches(Repository.Read(path))
                    let name = match.Groups[1].Value
                    where !Repository.Exists(name) && !Directory.Exists(Path.Combine(Repository.Root, name))
                    select $"{path} names `{name}`";
        Findings.None(found);
    }

    [Fact]
    public void Exit_codes_are_those_that_are_written_down()
    {
        string[] coded = [.. ExitCode().Matches(Repository.Read("src/Server/Cli/CommandLine.cs"))
            .Select(m => m.Groups[1].Value)];
        string[] told = [.. ExitCodeRow().Matches(Repository.Read("docs/command-line.md"))
            .Select(m => m.Groups[1].Value)];
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6"], coded);
        Assert.Equal(coded, told);
    }

    [Fact]
    public void Every_row_of_a_protocol_table_names_a_living_test()
    {
        Findings.None(from path in Documents
                      where path.StartsWith("docs/protocols/", StringComparison.Ordinal)
                      from row in Rows(Repository.Read(path))
                      let problem = ProblemOf(row)
                      where problem is not null
                      select $"{path}: | {string.Join(" | ", row)} | {problem}");
    }

    // Rows of tables whose heading ends with the columns "file" and "test".
    private static IEnumerable<string[]> Rows(string text)
    {
        bool inside = false;
        foreach (string line in text.Split('\n'))
        {
            string[] cells = [.. line.Trim().Trim('|').Split('|').Select(c => c.Trim())];
            bool heading = cells.Length >= 3 && cells[^1].StartsWith("test", StringComparison.OrdinalIgnoreCase);
            if (heading || !line.StartsWith('|')) inside = heading;
            else if (inside && !cells.All(c => c.Trim('-', ':', ' ').Length == 0)) yield return cells;
        }
    }

    private static string? ProblemOf(string[] cells)
    {
        string[] tests = [.. Quoted().Matches(cells[^1]).Select(m => m.Groups[1].Value)];
        if (tests.Length == 0) return "names no test";
        string? dead = tests.FirstOrDefault(t => !IsLivingTest(t));
        if (dead is not null) return $"`{dead}` is no test class, test method or test file";
        string[] files = [.. Quoted().Matches(cells[^2]).Select(m => m.Groups[1].Value).Where(f => f.Contains('.'))];
        if (files.Length == 0) return "names no file";
        string? gone = files.FirstOrDefault(f => !Repository.CodeFiles.Any(c => IsFile(c.Path, f)));
        return gone is null ? null : $"`{gone}` is no file";
    }

    private static bool IsFile(string path, string named) =>
        path == named || path.EndsWith("/" + named, StringComparison.Ordinal);

    // `Class`, `Class.Method`, a path below tests/, or a target of the fuzzer, which every test run calls.
    private static bool IsLivingTest(string name)
    {
        if (Repository.Read("do.cs").Contains($"\"{name}\"", StringComparison.Ordinal)) return true;
        if (name.EndsWith(".cs", StringComparison.Ordinal))
            return Tests.Any(t => IsFile(t.File, name));
        string[] parts = name.Split('.');
        return Tests.Any(t => t.Class == parts[0] && (parts.Length == 1 || t.Method == parts[1]));
    }

    private static readonly (string File, string Class, string Method)[] Tests =
    [
        .. from file in Repository.CodeFiles
           where file.Path.StartsWith("tests/", StringComparison.Ordinal)
           from method in file.Tree.GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>()
           where method.AttributeLists.SelectMany(a => a.Attributes)
               .Any(a => a.Name.ToString() is "Fact" or "Theory" or "Property")
           let type = method.Parent as TypeDeclarationSyntax
           select (file.Path, type.Identifier.Text, method.Identifier.Text)
    ];

    [GeneratedRegex("""\["([a-z]+)"(?:, \.\.|\])""")]
    private static partial Regex VerbPattern();

    [GeneratedRegex(@"public const int \w+ = (\d+);")]
    private static partial Regex ExitCode();

    [GeneratedRegex(@"^\| (\d+) \| ", RegexOptions.Multiline)]
    private static partial Regex ExitCodeRow();

    [GeneratedRegex(@"\./do\.cs ([a-z]+)")]
    private static partial Regex DoCommand();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:src|tests|bench|docs|deploy)/[\w./-]+\w)`")]
    private static partial Regex QuotedFile();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
