using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Pillarbox.Tidy.Tests;

/// <summary>Words that a stranger would stumble over, and directives that hide code.</summary>
public sealed partial class WordTests
{
    private static readonly string[] TypeEndingsBanned =
        ["Manager", "Helper", "Helpers", "Impl", "Base", "Utils", "Util"];

    [Fact]
    public void Types_are_named_by_what_they_are()
    {
        var found = from file in Repository.CodeFiles
                    from type in file.Tree.GetRoot().DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
                    from ending in TypeEndingsBanned
                    where type.Identifier.Text.EndsWith(ending, StringComparison.Ordinal)
                    select $"{file.At(type)} {type.Identifier.Text}: find the noun behind {ending}";
        Findings.None(found);
    }

    [Fact]
    public void Classes_are_sealed()
    {
        var classes = Repository.ProductCode
            .SelectMany(file => file.Tree.GetRoot().DescendantNodes(), (file, node) => (File: file, Node: node))
            .Where(x => x.Node is TypeDeclarationSyntax)
            .Select(x => (x.File, Type: (TypeDeclarationSyntax)x.Node))
            .Where(x => x.Type is ClassDeclarationSyntax or RecordDeclarationSyntax)
            .Where(x => !x.Type.IsKind(SyntaxKind.RecordStructDeclaration))
            .ToList();
        var inherited = classes.SelectMany(x => x.Type.BaseList?.Types.AsEnumerable() ?? [])
            .Select(b => b.Type.ToString().Split('<')[0]).ToHashSet();
        var parts = classes.Where(x => IsClosed(x.Type)).Select(x => x.Type.Identifier.Text).ToHashSet();
        var found = from x in classes
                    let name = x.Type.Identifier.Text
                    where !parts.Contains(name) && !inherited.Contains(name)
                    select $"{x.File.At(x.Type)} {name} is neither sealed, static, abstract nor inherited";
        Findings.None(found);
    }

    [Fact]
    public void No_code_is_hidden_by_directives()
    {
        var found = from file in Repository.CodeFiles
                    from node in file.Tree.GetRoot().DescendantNodes(descendIntoTrivia: true)
                    where node is IfDirectiveTriviaSyntax or RegionDirectiveTriviaSyntax
                    select $"{file.At(node)} {node.ToString().Trim()}";
        Findings.None(found);
    }

    [Fact]
    public void Todos_carry_a_reason()
    {
        var found = from path in Repository.TextFiles
                    where !path.StartsWith("tests/Tidy/", StringComparison.Ordinal)
                    from line in Repository.Read(path).Split('\n').Index()
                    where Todo().IsMatch(line.Item) && !TodoWithReason().IsMatch(line.Item)
                    select $"{path}:{line.Index + 1} write TODO(why): what";
        Findings.None(found);
    }

    [Fact]
    public void Words_are_plain_and_kind()
    {
        var found = from path in Repository.TextFiles
                    where !path.StartsWith("tests/Tidy/", StringComparison.Ordinal) && path != "LICENSE"
                    from line in Repository.Read(path).Split('\n').Index()
                    let match = BannedWord().Match(line.Item)
                    where match.Success
                    select $"{path}:{line.Index + 1} says \"{match.Value}\"";
        Findings.None(found);
    }

    [Fact]
    public void Text_files_end_with_a_line_end_and_have_no_trailing_blanks()
    {
        var found = from path in Repository.TextFiles
                    let text = Repository.Read(path)
                    where text.Length > 0 && !text.EndsWith('\n') || text.Contains('\r')
                        || (!path.EndsWith(".md", StringComparison.Ordinal) && TrailingBlank().IsMatch(text))
                    select $"{path} has CR, trailing blanks or no last line end";
        Findings.None(found);
    }

    private static bool IsClosed(TypeDeclarationSyntax type) =>
        type.Modifiers.Any(SyntaxKind.SealedKeyword) || type.Modifiers.Any(SyntaxKind.StaticKeyword)
        || type.Modifiers.Any(SyntaxKind.AbstractKeyword);

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex Todo();

    [GeneratedRegex(@"\bTODO\([^)]{3,}\): \S")]
    private static partial Regex TodoWithReason();

    // The last part finds paths of somebody's own machine.
    [GeneratedRegex(@"(?i)\b(blacklist|whitelist|sanity check|obviously|WIP)\b|(?<![\w.])/(home|root|Users)/\w")]
    private static partial Regex BannedWord();

    [GeneratedRegex(@"[ \t]+$", RegexOptions.Multiline)]
    private static partial Regex TrailingBlank();
}
