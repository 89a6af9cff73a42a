using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Pillarbox.Hosting.Tests;

/// <summary>The README's C# examples compile as printed, and the one that ends by itself runs.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void Both_examples_compile() => Assert.All(Examples(), text =>
    {
        using var image = new MemoryStream();
        Assert.Empty(Compile(text, image));
    });

    [Fact]
    public async Task The_node_for_a_test_starts()
    {
        static bool IsHost(string text) => text.Contains("PillarboxTestHost", StringComparison.Ordinal);
        string example = Assert.Single(Examples(), IsHost);
        using var image = new MemoryStream();
        Assert.Empty(Compile(example + "\nif (!node.AmqpUrl.StartsWith(\"amqp://\")) throw new Exception();", image));
        MethodInfo main = Assembly.Load(image.ToArray()).EntryPoint!;
        await Task.Run(() => main.Invoke(null, [Array.Empty<string>()]), TestContext.Current.CancellationToken);
    }

    private static string[] Examples()
    {
        string? folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder!, "README.md")) || !File.Exists(Path.Combine(folder!, "do.cs")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        string[] found =
        [
            .. Example().Matches(File.ReadAllText(Path.Combine(folder!, "README.md"))).Select(m => m.Groups[1].Value),
        ];
        Assert.Equal(2, found.Length);
        return found;
    }

    private static string[] Compile(string text, Stream image)
    {
        string platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        CSharpCompilation compilation = CSharpCompilation.Create(
            $"Example{Guid.NewGuid():n}",
            [CSharpSyntaxTree.ParseText("using System;\nusing System.Threading.Tasks;\n" + text)],
            platform.Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication));
        return
        [
            .. compilation.Emit(image).Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)
                .Select(d => d.ToString()),
        ];
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
