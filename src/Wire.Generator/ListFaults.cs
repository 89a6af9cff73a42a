using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Pillarbox.Wire.Generator;

/// <summary>What is wrong with a declaration of a list, as errors that the compiler shows at the place.</summary>
internal static class ListFaults
{
    private static readonly DiagnosticDescriptor DuplicateIndex = Error(
        "PBX001", "Two fields have one index", "{0} and {1} of {2} both have the index {3}");

    private static readonly DiagnosticDescriptor UnknownType = Error(
        "PBX002", "A field's type has no encoding", "{0}.{1} is a {2}, which AMQP cannot carry");

    private static readonly DiagnosticDescriptor BadSymbol = Error(
        "PBX003", "A descriptor's symbol has no name", "the symbol \"{0}\" of {1} should be domain:name:list");

    private static readonly DiagnosticDescriptor NegativeIndex = Error(
        "PBX004", "A field's index is negative", "{0}.{1} has the index {2}; the first field has 0");

    /// <summary>The faults of one declared list; empty: it can be generated.</summary>
    public static ImmutableArray<Diagnostic> Of(INamedTypeSymbol type, string symbol, string fieldAttribute)
    {
        ImmutableArray<Diagnostic>.Builder faults = ImmutableArray.CreateBuilder<Diagnostic>();
        if (symbol.Split(':').Length < 2)
        {
            faults.Add(Diagnostic.Create(BadSymbol, type.Locations[0], symbol, type.Name));
        }

        Dictionary<int, IPropertySymbol> seen = [];
        foreach (IPropertySymbol property in type.GetMembers().OfType<IPropertySymbol>())
        {
            AttributeData? attribute = property.GetAttributes()
                .FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == fieldAttribute);
            if (attribute is not null)
            {
                Check(property, (int)attribute.ConstructorArguments[0].Value!, seen, faults);
            }
        }

        return faults.ToImmutable();
    }

    private static void Check(
        IPropertySymbol property, int index, Dictionary<int, IPropertySymbol> seen,
        ImmutableArray<Diagnostic>.Builder faults)
    {
        Location place = property.Locations[0];
        string owner = property.ContainingType.Name;
        if (index < 0)
        {
            faults.Add(Diagnostic.Create(NegativeIndex, place, owner, property.Name, index));
        }
        else if (seen.TryGetValue(index, out IPropertySymbol? other))
        {
            faults.Add(Diagnostic.Create(DuplicateIndex, place, other.Name, property.Name, owner, index));
        }
        else
        {
            seen.Add(index, property);
        }

        if (!AmqpListGenerator.HasEncoding(property))
        {
            faults.Add(Diagnostic.Create(UnknownType, place, owner, property.Name, property.Type.ToDisplayString()));
        }
    }

    private static DiagnosticDescriptor Error(string id, string title, string message) =>
        new(id, title, message, "Pillarbox.Wire", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
