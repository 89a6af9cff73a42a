using System.Xml.Linq;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Pillarbox.Tidy.Tests;

/// <summary>Arrows only point down (docs/ARCHITECTURE.md): which project may reference which.</summary>
public sealed class LayerTests
{
    private static readonly string[] FolderNamesBanned =
        ["Core", "Common", "Utils", "Helpers", "Internal", "Impl", "Abstractions", "Shared", "Misc"];

    // A protocol stands here once, as "Protocols/*": no protocol knows another one.
    private static readonly Dictionary<string, string[]> AllowedEdges = new()
    {
        ["Model"] = [],
        ["Storage"] = ["Model"],
        ["Broker"] = ["Storage", "Model"],
        ["Transport"] = [],
        ["Protocols/*"] = ["Broker", "Model", "Transport", "Wire.Generator"],
        ["Router"] = ["Protocols/*", "Broker", "Model"],
        ["Console"] = ["Broker", "Router", "Model"],
        ["Hosting"] = ["Console", "Router", "Protocols/*", "Broker", "Storage", "Model"],
        ["Server"] = ["Hosting", "Console", "Router", "Protocols/*", "Broker", "Storage", "Model"],
        ["Testing"] = ["Hosting", "Broker", "Model"],
        ["Wire.Generator"] = [],
    };

    [Fact]
    public void Projects_reference_only_what_lies_below_them()
    {
        var found = from project in Repository.Projects
                    where project.StartsWith("src/", StringComparison.Ordinal)
                    from target in References(project)
                    let upper = Room(project)
                    let lower = Room(target)
                    where !AllowedEdges.GetValueOrDefault(upper, []).Contains(lower)
                    select $"{project} references {target}: {upper} -> {lower} is no allowed edge";
        Findings.None(found);
    }

    [Fact]
    public void Projects_of_the_product_never_reference_tests()
    {
        var found = from project in Repository.Projects
                    where project.StartsWith("src/", StringComparison.Ordinal)
                    from target in References(project)
                    where !target.StartsWith("src/", StringComparison.Ordinal)
                    select $"{project} references {target}";
        Findings.None(found);
    }

    [Fact]
    public void Folders_have_names_that_say_something()
    {
        var found = from file in Repository.CodeFiles
                    from part in file.Path.Split('/')[..^1]
                    where FolderNamesBanned.Contains(part)
                    select $"{file.Path}: a folder named {part} says nothing of what is in it";
        Findings.None(found.Distinct());
    }

    [Fact]
    public void Namespaces_follow_folders()
    {
        var found = from file in Repository.ProductCode
                    from space in file.Tree.GetRoot().DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
                    let name = space.Name.ToString()
                    let expected = NamespaceOf(file.Path)
                    where name.StartsWith("Pillarbox", StringComparison.Ordinal) && name != expected
                    where !expected.StartsWith(name + ".", StringComparison.Ordinal)
                    select $"{file.Path} declares {name}, its folder says {expected}";
        Findings.None(found);
    }

    private static IEnumerable<string> References(string project) =>
        from reference in XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference")
        let include = reference.Attribute("Include")!.Value.Replace('\\', '/')
        let folder = Path.Combine(Repository.Root, Path.GetDirectoryName(project)!)
        select Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(folder, include)));

    private static string Room(string project)
    {
        string[] parts = project.Split('/');
        return parts[1] == "Protocols" ? "Protocols/*" : parts[1];
    }

    private static string NamespaceOf(string path)
    {
        string project = Repository.Projects
            .Where(p => path.StartsWith(Path.GetDirectoryName(p)! + "/", StringComparison.Ordinal))
            .MaxBy(p => p.Length)!;
        string root = XDocument.Parse(Repository.Read(project)).Descendants("RootNamespace").First().Value;
        string inner = Path.GetRelativePath(Path.GetDirectoryName(project)!, Path.GetDirectoryName(path)!);
        return inner == "." ? root : $"{root}.{inner.Replace('/', '.')}";
    }
}
