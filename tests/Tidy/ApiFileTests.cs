using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Tidy.Tests;

/// <summary>Each API of the Kafka protocol has one file for what it does and one for its messages, of its
/// name.</summary>
public sealed partial class ApiFileTests
{
    private const string Room = "src/Protocols/Kafka";

    [Fact]
    public void Every_API_has_a_file_of_its_own()
    {
        CodeFile table = Repository.CodeFiles.Single(file => file.Path == $"{Room}/ApiTable.cs");
        HashSet<string> paths = [.. Repository.CodeFiles.Select(file => file.Path)];
        Match[] apis = [.. Entry().Matches(table.Text).Cast<Match>()];
        Assert.True(apis.Length > 60, $"only {apis.Length} APIs were found");
        var found = from api in apis
                    let name = api.Groups[1].Value
                    let handler = api.Groups[2].Value
                    where handler != $"{name}Api" || !paths.Contains($"{Room}/Apis/{name}.cs")
                        || !paths.Contains($"{Room}/Wire/Messages/{name}.cs")
                    select $"{name} is answered by {handler}: {Room}/Apis/{name}.cs is to have {name}Api";
        Findings.None(found);
    }

    [GeneratedRegex(@"ApiEntry\.Of<(\w+)Request, \1Response>\(\s*(\w+)\.HandleAsync")]
    private static partial Regex Entry();
}
