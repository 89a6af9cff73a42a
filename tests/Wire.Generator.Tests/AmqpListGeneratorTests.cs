using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Pillarbox.Wire.Generator.Tests;

/// <summary>What the generator makes of a declaration, right or wrong.</summary>
public sealed class AmqpListGeneratorTests
{
    private const string Attributes = """
        namespace Pillarbox.Protocols.Amqp.Wire;
        enum FieldKind { Auto, Symbol, Timestamp, Encoded, Boolean }
        sealed class AmqpListAttribute(ulong code, string symbol) : System.Attribute;
        sealed class FieldAttribute(int index, FieldKind kind = FieldKind.Auto) : System.Attribute
        {
            public bool Mandatory { get; init; }
            public object? Default { get; init; }
        }
        """;

    [Fact]
    public void A_declared_list_gets_its_codec_and_a_row_in_the_table()
    {
        GeneratorDriverRunResult result = Run("""
            [AmqpList(0x14, "amqp:sample:list")]
            public sealed partial record Sample
            {
                [Field(0, Mandatory = true)] public uint Handle { get; init; }
                [Field(2, FieldKind.Symbol)] public string? Name { get; init; }
            }
            """);
        Assert.Empty(result.Diagnostics);
        string codec = Text(result, "Sample.g.cs");
        Assert.Contains("public sealed partial record Sample", codec, StringComparison.Ordinal);
        Assert.Contains("DescriptorCode = 20UL", codec, StringComparison.Ordinal);
        Assert.Contains("Handle", codec, StringComparison.Ordinal);
        Assert.Empty(CSharpSyntaxTree.ParseText(codec).GetDiagnostics());
        string row = "16 when global::System.MemoryExtensions.SequenceEqual(symbol, \"amqp:sample:list\"u8) => 20UL";
        Assert.Contains(row, Text(result, "WireTypes.g.cs"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("amqp:sample:list", "[Field(0)] public uint A { get; } [Field(0)] public uint B { get; }",
        "PBX001", "A and B of Sample both have the index 0")]
    [InlineData("amqp:sample:list", "[Field(0)] public decimal Price { get; }",
        "PBX002", "Sample.Price is a decimal, which AMQP cannot carry")]
    [InlineData("amqp:sample:list", "[Field(0)] public System.Guid? Id { get; }",
        "PBX002", "Sample.Id is a System.Guid?, which AMQP cannot carry")]
    [InlineData("sample", "[Field(0)] public uint A { get; }",
        "PBX003", "the symbol \"sample\" of Sample should be domain:name:list")]
    [InlineData("amqp:sample:list", "[Field(-1)] public uint A { get; }",
        "PBX004", "Sample.A has the index -1; the first field has 0")]
    public void A_wrong_declaration_is_an_error_at_its_place(string symbol, string fields, string id, string message)
    {
        GeneratorDriverRunResult result = Run(
            $"[AmqpList(0x14, \"{symbol}\")] public sealed partial record Sample {{ {fields} }}");
        Diagnostic fault = Assert.Single(result.Diagnostics);
        Assert.Equal((id, message, DiagnosticSeverity.Error), (fault.Id, fault.GetMessage(), fault.Severity));
        Assert.True(fault.Location.IsInSource);
        Assert.DoesNotContain(result.GeneratedTrees, tree => Path.GetFileName(tree.FilePath) == "Sample.g.cs");
    }

    [Fact]
    public void A_field_of_a_type_declared_beside_it_is_read_by_that_type()
    {
        GeneratorDriverRunResult result = Run("""
            [AmqpList(0x14, "amqp:sample:list")]
            public sealed partial record Sample { [Field(0)] public Inner? Inner { get; init; } }
            [AmqpList(0x15, "amqp:inner:list")]
            public sealed partial record Inner { [Field(0)] public bool Is { get; init; } }
            """);
        Assert.Empty(result.Diagnostics);
        Assert.Contains("Inner.Read(", Text(result, "Sample.g.cs"), StringComparison.Ordinal);
    }

    private static GeneratorDriverRunResult Run(string declaration)
    {
        string text = "#nullable enable\nnamespace Pillarbox.Protocols.Amqp.Wire;\n" + declaration;
        string platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Sample",
            [CSharpSyntaxTree.ParseText(Attributes), CSharpSyntaxTree.ParseText(text)],
            platform.Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        return CSharpGeneratorDriver.Create(new AmqpListGenerator()).RunGenerators(compilation).GetRunResult();
    }

    private static string Text(GeneratorDriverRunResult result, string name) =>
        result.GeneratedTrees.Single(tree => Path.GetFileName(tree.FilePath) == name).ToString();
}
