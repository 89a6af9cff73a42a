using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Pillarbox.Tidy.Tests;

/// <summary>The limits of docs/STYLE.md. They are hard: an exception is argued in docs/decisions first.</summary>
public sealed class SizeTests
{
    private const int MethodLinesMax = 70;
    private const int FileLinesMax = 600;
    private const int ColumnsMax = 120;
    private const int ConstructorArgumentsMax = 6;
    private const int NestingMax = 4;

    [Fact]
    public void Methods_are_short()
    {
        var found = from file in Repository.CodeFiles
                    from body in Bodies(file)
                    let lines = LineCount(body)
                    where lines > MethodLinesMax
                    select $"{file.At(body)} has {lines} lines, the limit is {MethodLinesMax}";
        Findings.None(found);
    }

    [Fact]
    public void Files_are_short()
    {
        var found = from file in Repository.CodeFiles
                    let lines = file.Lines.Length - 1
                    where lines > FileLinesMax
                    select $"{file.Path} has {lines} lines, the limit is {FileLinesMax}";
        Findings.None(found);
    }

    [Fact]
    public void Lines_are_short()
    {
        var found = from file in Repository.CodeFiles
                    from line in file.Lines.Index()
                    where line.Item.TrimEnd('\r').Length > ColumnsMax
                    select $"{file.Path}:{line.Index + 1} has {line.Item.Length} columns, the limit is {ColumnsMax}";
        Findings.None(found);
    }

    [Fact]
    public void Constructors_take_few_arguments()
    {
        var found = from file in Repository.ProductCode
                    from node in file.Tree.GetRoot().DescendantNodes()
                    let parameters = node switch
                    {
                        ConstructorDeclarationSyntax c => c.ParameterList,
                        ClassDeclarationSyntax c => c.ParameterList,
                        _ => null,
                    }
                    let count = parameters?.Parameters.Count ?? 0
                    where count > ConstructorArgumentsMax
                    select $"{file.At(node)} takes {count}, the limit is {ConstructorArgumentsMax}";
        Findings.None(found);
    }

    [Fact]
    public void Nesting_is_shallow()
    {
        var found = from file in Repository.ProductCode
                    from body in Bodies(file)
                    let depth = Depth(body)
                    where depth > NestingMax
                    select $"{file.At(body)} nests {depth} deep, the limit is {NestingMax}";
        Findings.None(found);
    }

    // A table that a property holds is no method.
    private static IEnumerable<SyntaxNode> Bodies(CodeFile file) =>
        file.Tree.GetRoot().DescendantNodes().Where(n => n is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax
            or LocalFunctionStatementSyntax);

    private static int LineCount(SyntaxNode node)
    {
        var span = node.SyntaxTree.GetLineSpan(node.Span);
        return span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
    }

    // How many branching statements stand inside each other; `else if` chains and local functions do not add up.
    private static int Depth(SyntaxNode node)
    {
        int deepest = 0;
        foreach (SyntaxNode child in node.ChildNodes())
        {
            if (child is LocalFunctionStatementSyntax) continue;
            bool chained = child is IfStatementSyntax && child.Parent is ElseClauseSyntax;
            int own = !chained && child is IfStatementSyntax or ForStatementSyntax or CommonForEachStatementSyntax
                or WhileStatementSyntax or DoStatementSyntax or SwitchStatementSyntax ? 1 : 0;
            deepest = Math.Max(deepest, own + Depth(child));
        }
        return deepest;
    }
}
