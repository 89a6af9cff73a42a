using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests.Stomp;

/// <summary>Foreign STOMP clients; each scenario runs in every version that its client speaks.</summary>
[Collection(nameof(SharedNode))]
public sealed partial class StompClientTests(SharedNode shared)
{
    public static IEnumerable<TheoryDataRow<string>> StompPy =>
        from match in PythonFunction().Matches(File.ReadAllText(Programs.Script("Stomp", "stomp-py", "scenarios.py")))
        select new TheoryDataRow<string>(match.Groups[1].Value);

    [Theory]
    [MemberData(nameof(StompPy))]
    public Task Stomp_py_scenario_ends_well(string name) => RunPythonAsync("stomp", name);

    [Fact]
    public Task Stomp_py_is_served_on_the_port_of_all_protocols() =>
        RunPythonAsync("all", "message_comes_out_as_it_went_in");

    private async Task RunPythonAsync(string listener, string scenario)
    {
        string[] command = [Programs.Script("Stomp", "stomp-py", "run.py"), shared.Node.Listener(listener), scenario];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
        shared.AssertAlive();
    }

    [GeneratedRegex(@"^@scenario\ndef (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex PythonFunction();
}
