using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Pillarbox.Wire.Generator;

/// <summary>
/// Writes the codec of every type marked with AmqpList: one file a type, and one with the table of symbolic
/// descriptors. Reads only the declarations' symbols, so it runs again only when one of them changes.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class AmqpListGenerator : IIncrementalGenerator
{
    private const string ListAttribute = "Pillarbox.Protocols.Amqp.Wire.AmqpListAttribute";
    private const string FieldAttribute = "Pillarbox.Protocols.Amqp.Wire.FieldAttribute";

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ListModel> lists = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                ListAttribute,
                static (node, _) => node is TypeDeclarationSyntax,
                static (found, _) => IsWrong(found) ? null : ReadList(found))
            .Where(static list => list is not null)
            .Select(static (list, _) => list!);
        context.RegisterSourceOutput(
            context.SyntaxProvider.ForAttributeWithMetadataName(
                ListAttribute, static (node, _) => node is TypeDeclarationSyntax, static (found, _) => Faults(found)),
            static (output, faults) =>
            {
                foreach (Diagnostic fault in faults)
                {
                    output.ReportDiagnostic(fault);
                }
            });
        context.RegisterSourceOutput(lists, static (output, list) =>
            output.AddSource($"{list.Name}.g.cs", SourceText.From(ListEmitter.Emit(list), Encoding.UTF8)));
        context.RegisterSourceOutput(lists.Collect(), static (output, all) =>
        {
            if (!all.IsEmpty)
            {
                output.AddSource("WireTypes.g.cs", SourceText.From(ListEmitter.EmitTable(all), Encoding.UTF8));
            }
        });
    }

    /// <summary>Whether a property's type can be written: a type of the specification's, or one that is declared
    /// beside it.</summary>
    internal static bool HasEncoding(IPropertySymbol property)
    {
        ITypeSymbol type = property.Type;
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } wrapped)
        {
            type = wrapped.TypeArguments[0];
        }

        return CodingOf(type, "Auto") != FieldCoding.Composite
            || SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, property.ContainingAssembly);
    }

    private static ImmutableArray<Diagnostic> Faults(GeneratorAttributeSyntaxContext found) => ListFaults.Of(
        (INamedTypeSymbol)found.TargetSymbol, (string)found.Attributes[0].ConstructorArguments[1].Value!,
        FieldAttribute);

    private static bool IsWrong(GeneratorAttributeSyntaxContext found) => !Faults(found).IsEmpty;

    private static ListModel ReadList(GeneratorAttributeSyntaxContext found)
    {
        INamedTypeSymbol type = (INamedTypeSymbol)found.TargetSymbol;
        ImmutableArray<TypedConstant> arguments = found.Attributes[0].ConstructorArguments;
        IEnumerable<FieldModel> fields = type.GetMembers().OfType<IPropertySymbol>()
            .Select(ReadField)
            .Where(static field => field is not null)
            .Select(static field => field!)
            .OrderBy(static field => field.Index);
        return new ListModel(
            type.ContainingNamespace.ToDisplayString(),
            type.Name,
            Keywords(type),
            (ulong)arguments[0].Value!,
            (string)arguments[1].Value!,
            type.BaseType?.SpecialType is not (SpecialType.System_Object or SpecialType.System_ValueType),
            new EquatableList<FieldModel>(fields));
    }

    private static string Keywords(INamedTypeSymbol type)
    {
        if (type.TypeKind == TypeKind.Class)
        {
            return type.IsRecord ? "sealed partial record" : "sealed partial class";
        }
        string layout = type.IsRefLikeType ? "ref partial struct" : "partial record struct";
        return type.IsReadOnly ? "readonly " + layout : layout;
    }

    private static FieldModel? ReadField(IPropertySymbol property)
    {
        AttributeData? attribute = property.GetAttributes()
            .FirstOrDefault(static a => a.AttributeClass?.ToDisplayString() == FieldAttribute);
        if (attribute is null)
        {
            return null;
        }
        ITypeSymbol type = property.Type;
        bool nullable = type.NullableAnnotation == NullableAnnotation.Annotated;
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } wrapped)
        {
            type = wrapped.TypeArguments[0];
            nullable = true;
        }
        INamedTypeSymbol? underlying = (type as INamedTypeSymbol)?.EnumUnderlyingType;
        return new FieldModel(
            (int)attribute.ConstructorArguments[0].Value!,
            property.Name,
            CodingOf(type, KindOf(attribute)),
            SourceName(type),
            nullable,
            type.IsValueType,
            Named(attribute, "Mandatory")?.Value is true,
            DefaultText(Named(attribute, "Default"), type),
            underlying?.SpecialType.ToString(),
            type.TypeKind == TypeKind.Enum ? MaxOf((INamedTypeSymbol)type) : 0);
    }

    private static string KindOf(AttributeData attribute)
    {
        TypedConstant kind = attribute.ConstructorArguments[1];
        return kind.Type!.GetMembers().OfType<IFieldSymbol>().First(f => Equals(f.ConstantValue, kind.Value)).Name;
    }

    private static TypedConstant? Named(AttributeData attribute, string name)
    {
        foreach (KeyValuePair<string, TypedConstant> argument in attribute.NamedArguments)
        {
            if (argument.Key == name)
            {
                return argument.Value;
            }
        }
        return null;
    }

    private static string? DefaultText(TypedConstant? constant, ITypeSymbol type)
    {
        if (constant?.Value is not { } value)
        {
            return null;
        }
        string literal = SymbolDisplay.FormatPrimitive(value, quoteStrings: true, useHexadecimalNumbers: false);
        return $"({SourceName(type)}){literal}";
    }

    private static string SourceName(ITypeSymbol type) => type
        .WithNullableAnnotation(NullableAnnotation.NotAnnotated)
        .ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    private static ulong MaxOf(INamedTypeSymbol type) => type.GetMembers().OfType<IFieldSymbol>()
        .Where(static field => field.HasConstantValue)
        .Select(static field => Convert.ToUInt64(field.ConstantValue, CultureInfo.InvariantCulture))
        .Max();

    private static FieldCoding CodingOf(ITypeSymbol type, string kind)
    {
        if (type.TypeKind == TypeKind.Enum)
        {
            return kind switch
            {
                "Boolean" => FieldCoding.BooleanEnum,
                "Symbol" => FieldCoding.SymbolEnum,
                _ => FieldCoding.Enum,
            };
        }
        if (type is IArrayTypeSymbol array)
        {
            return array.ElementType.SpecialType == SpecialType.System_String ? FieldCoding.Symbols
                : kind == "Encoded" ? FieldCoding.Encoded : FieldCoding.Binary;
        }
        if (type.IsRefLikeType)
        {
            return kind == "Encoded" ? FieldCoding.EncodedSpan : FieldCoding.BinarySpan;
        }
        return type.SpecialType switch
        {
            SpecialType.System_Boolean => FieldCoding.Boolean,
            SpecialType.System_Byte => FieldCoding.UByte,
            SpecialType.System_UInt16 => FieldCoding.UShort,
            SpecialType.System_UInt32 => FieldCoding.UInt,
            SpecialType.System_UInt64 => FieldCoding.ULong,
            SpecialType.System_SByte => FieldCoding.Byte,
            SpecialType.System_Int16 => FieldCoding.Short,
            SpecialType.System_Int32 => FieldCoding.Int,
            SpecialType.System_Int64 => kind == "Timestamp" ? FieldCoding.Timestamp : FieldCoding.Long,
            SpecialType.System_String => kind == "Symbol" ? FieldCoding.Symbol : FieldCoding.String,
            _ => FieldCoding.Composite,
        };
    }
}
