using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Pillarbox.Tidy.Tests;

/// <summary>What nobody names is dead.</summary>
public sealed class DeadCodeTests
{
    [Fact]
    public void Every_type_is_named_outside_of_itself()
    {
        var mentions = Repository.CodeFiles
            .SelectMany(file => file.Tree.GetRoot().DescendantTokens())
            .Where(token => token.IsKind(SyntaxKind.IdentifierToken))
            .ToLookup(token => token.Text);
        var found = from file in Repository.ProductCode
                    from type in file.Tree.GetRoot().DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
                    let space = (type.Parent as BaseNamespaceDeclarationSyntax)?.Name.ToString() ?? ""
                    where space.StartsWith("Pillarbox", StringComparison.Ordinal) && !IsFoundByItsMembers(type)
                    where mentions[type.Identifier.Text].All(token => IsInside(token, type.Identifier.Text))
                    select $"{file.At(type)} {type.Identifier.Text}: nobody names it";
        Findings.None(found);
    }

    /// <summary>Whoever filters a log by an event's id gets that event alone.</summary>
    [Fact]
    public void Events_of_a_log_have_ids_of_their_own()
    {
        var found = from file in Repository.ProductCode
                    from type in file.Tree.GetRoot().DescendantNodes().OfType<ClassDeclarationSyntax>()
                    from events in EventsOf(type).GroupBy(e => e.Id)
                    where events.Count() > 1
                    from one in events
                    select $"{file.At(one.Place)} event {one.Id} is there {events.Count()} times";
        Findings.None(found);
    }

    private static IEnumerable<(string Id, SyntaxNode Place)> EventsOf(ClassDeclarationSyntax type) =>
        from method in type.Members.OfType<MethodDeclarationSyntax>()
        from attribute in method.AttributeLists.SelectMany(list => list.Attributes)
        where attribute.Name.ToString() == "LoggerMessage"
        from argument in attribute.ArgumentList!.Arguments
        where argument.NameEquals?.Name.ToString() == "EventId"
            || argument.Expression.IsKind(SyntaxKind.NumericLiteralExpression)
        select (argument.Expression.ToString(), (SyntaxNode)attribute);

    // Called by the code that Wire.Generator writes, or the public face of a package.
    private static readonly string[] NamedElsewhere =
        ["DistributionModeSymbol", "TerminusExpiryPolicySymbol", "PillarboxTestHost"];

    // Classes of extension methods, generators and the like are used without their names.
    private static bool IsFoundByItsMembers(BaseTypeDeclarationSyntax type) =>
        type.DescendantNodes().OfType<ParameterSyntax>().Any(p => p.Modifiers.Any(SyntaxKind.ThisKeyword))
        || type.AttributeLists.Count > 0 || NamedElsewhere.Contains(type.Identifier.Text);

    private static bool IsInside(SyntaxToken token, string type) =>
        token.Parent!.AncestorsAndSelf().OfType<BaseTypeDeclarationSyntax>().Any(t => t.Identifier.Text == type);
}
