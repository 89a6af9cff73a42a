using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Pillarbox.Wire.Generator;

/// <summary>
/// Writes the codec of every class marked with KafkaMessage, one file a message. Reads only the declarations' symbols,
/// so it runs again only when one of them changes.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class KafkaMessageGenerator : IIncrementalGenerator
{
    private const string MessageAttribute = "Pillarbox.Protocols.Kafka.Wire.KafkaMessageAttribute";
    private const string FieldAttribute = "Pillarbox.Protocols.Kafka.Wire.FieldAttribute";

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<MessageModel> messages = context.SyntaxProvider.ForAttributeWithMetadataName(
            MessageAttribute,
            static (node, _) => node is TypeDeclarationSyntax,
            static (found, _) => ReadMessage(found));
        context.RegisterSourceOutput(messages, static (output, message) =>
            output.AddSource($"{message.Name}.g.cs", SourceText.From(MessageEmitter.Emit(message), Encoding.UTF8)));
    }

    private static MessageModel ReadMessage(GeneratorAttributeSyntaxContext found)
    {
        INamedTypeSymbol type = (INamedTypeSymbol)found.TargetSymbol;
        ImmutableArray<TypedConstant> arguments = found.Attributes[0].ConstructorArguments;
        IEnumerable<MessageStruct> structs = new[] { type }.Concat(type.GetTypeMembers()).Select(ReadStruct);
        return new MessageModel(
            type.ContainingNamespace.ToDisplayString(),
            type.Name,
            KeyName(arguments[0]),
            VersionRange.Parse((string)arguments[1].Value!)!,
            VersionRange.Parse((string)arguments[2].Value!),
            new EquatableList<MessageStruct>(structs));
    }

    private static string KeyName(TypedConstant key) => key.Type!.GetMembers().OfType<IFieldSymbol>()
        .First(field => Equals(field.ConstantValue, key.Value)).Name;

    private static MessageStruct ReadStruct(INamedTypeSymbol type) => new(
        type.Name,
        new EquatableList<MessageField>(type.GetMembers().OfType<IPropertySymbol>()
            .Select(ReadField)
            .Where(static field => field is not null)
            .Select(static field => field!)));

    private static MessageField? ReadField(IPropertySymbol property)
    {
        AttributeData? attribute = property.GetAttributes()
            .FirstOrDefault(static a => a.AttributeClass?.ToDisplayString() == FieldAttribute);
        if (attribute is null)
        {
            return null;
        }
        ITypeSymbol type = property.Type;
        bool isBytes = type is IArrayTypeSymbol { ElementType.SpecialType: SpecialType.System_Byte };
        bool isArray = type is IArrayTypeSymbol && !isBytes;
        ITypeSymbol element = isArray ? ((IArrayTypeSymbol)type).ElementType : type;
        (MessageCoding coding, string name) = isBytes ? (MessageCoding.Bytes, "byte[]") : CodingOf(element);
        return new MessageField(
            property.Name,
            coding,
            name,
            isArray,
            type.NullableAnnotation == NullableAnnotation.Annotated,
            VersionRange.Parse((string)attribute.ConstructorArguments[0].Value!)!,
            VersionRange.Parse(Named(attribute, "Nullable") as string ?? ""),
            Named(attribute, "Tag") as int? ?? -1);
    }

    private static object? Named(AttributeData attribute, string name) =>
        attribute.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value;

    // For a scalar the second part is the suffix of the reader's and writer's methods, else the type.
    private static (MessageCoding Coding, string Name) CodingOf(ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_Boolean => (MessageCoding.Scalar, "Boolean"),
        SpecialType.System_SByte => (MessageCoding.Scalar, "Int8"),
        SpecialType.System_Int16 => (MessageCoding.Scalar, "Int16"),
        SpecialType.System_UInt16 => (MessageCoding.Scalar, "UInt16"),
        SpecialType.System_Int32 => (MessageCoding.Scalar, "Int32"),
        SpecialType.System_UInt32 => (MessageCoding.Scalar, "UInt32"),
        SpecialType.System_Int64 => (MessageCoding.Scalar, "Int64"),
        SpecialType.System_Double => (MessageCoding.Scalar, "Float64"),
        SpecialType.System_String => (MessageCoding.String, "string"),
        _ => type.Name switch
        {
            "Guid" => (MessageCoding.Scalar, "Uuid"),
            "RecordBytes" => (MessageCoding.Records, "RecordBytes"),
            _ => (MessageCoding.Struct, type.Name),
        },
    };
}
