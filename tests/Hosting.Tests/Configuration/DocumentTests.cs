using System.Text.RegularExpressions;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

/// <summary>What the pages print as a configuration is one.</summary>
public sealed partial class DocumentTests
{
    public static TheoryData<string> Pages =>
        [.. from file in Directory.GetFiles(Docs(), "*.md") where Examples(file).Any() select Path.GetFileName(file)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Examples_are_read_without_a_fault(string page) =>
        Assert.All(Examples(Path.Combine(Docs(), page)), text => ConfigLoader.Parse(text, page));

    [Fact]
    public void Permissions_are_those_that_there_are()
    {
        string page = File.ReadAllText(Path.Combine(Docs(), "configuration.md"));
        Assert.All(PermissionNames.All, name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Examples(string file) =>
        Example().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value);

    private static string Docs()
    {
        string? folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder!, "do.cs")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return Path.Combine(folder!, "docs");
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
