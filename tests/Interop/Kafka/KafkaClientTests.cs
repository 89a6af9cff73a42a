using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>
/// Foreign clients of the Kafka protocol, one language a folder, from those of message sets (no-kafka) over old
/// versions (kafka-python) and those without flexible encodings (kafkajs) to the newest (@platformatic/kafka). Each
/// runs every scenario of its folder.
/// </summary>
[Collection(nameof(SharedNode))]
public sealed partial class KafkaClientTests(SharedNode shared)
{
    public static IEnumerable<TheoryDataRow<string>> KafkaJs => Scenarios(JavaScript(), "kafkajs", "scenarios.js");

    public static IEnumerable<TheoryDataRow<string>> OldJs => Scenarios(JavaScript(), "oldjs", "scenarios.js");

    public static IEnumerable<TheoryDataRow<string>> Platformatic =>
        Scenarios(JavaScript(), "platformatic", "scenarios.mjs");

    public static IEnumerable<TheoryDataRow<string>> KafkaPython =>
        Scenarios(PythonFunction(), "kafka-python", "scenarios.py");

    [Theory]
    [MemberData(nameof(KafkaJs))]
    public Task Kafkajs_scenario_ends_well(string name) => RunAsync("node", "kafkajs", "run.js", name);

    /// <summary>A client of Kafka 0.9, in versions that Kafka 4 has dropped.</summary>
    [Theory]
    [MemberData(nameof(OldJs))]
    public Task No_kafka_scenario_ends_well(string name) => RunAsync("node", "oldjs", "run.js", name);

    [Theory]
    [MemberData(nameof(Platformatic))]
    public Task Platformatic_scenario_ends_well(string name) => RunAsync("node", "platformatic", "run.mjs", name);

    [Theory]
    [MemberData(nameof(KafkaPython))]
    public Task Kafka_python_scenario_ends_well(string name) =>
        RunAsync(Programs.Python, "kafka-python", "run.py", name);

    [Theory]
    [InlineData("idempotence")]
    [InlineData("compression")]
    [InlineData("transactions")]
    [InlineData("fencing")]
    [InlineData("cooperative")]
    [InlineData("old_formats")]
    [InlineData("large")]
    [InlineData("times")]
    public async Task Librdkafka_scenario_ends_well(string name)
    {
        string program = await Programs.KafkaCClient.Value;
        string topic = $"{name}-{Guid.NewGuid():N}";
        (await ClientProcess.RunAsync(program, [shared.Node.KafkaServers, name, topic])).AssertOk();
        shared.AssertAlive();
    }

    /// <summary>Share groups, the consumer protocol, members of both protocols in one group, and what an administrator
    /// does.</summary>
    [Theory]
    [InlineData("administration")]
    [InlineData("share")]
    [InlineData("consumer_protocol")]
    [InlineData("cooperative")]
    [InlineData("mixed_protocols")]
    public async Task Librdkafka_of_today_scenario_ends_well(string name)
    {
        string program = await Programs.KafkaClientOfToday.Value;
        string topic = $"{name}-{Guid.NewGuid():N}";
        (await ClientProcess.RunAsync(program, [shared.Node.KafkaServers, name, topic])).AssertOk();
        shared.AssertAlive();
    }

    private async Task RunAsync(string program, string folder, string script, string scenario)
    {
        string[] command = [Programs.Script("Kafka", folder, script), shared.Node.KafkaServers, scenario];
        (await ClientProcess.RunAsync(program, command)).AssertOk();
        shared.AssertAlive();
    }

    private static IEnumerable<TheoryDataRow<string>> Scenarios(Regex pattern, string folder, string file) =>
        from match in pattern.Matches(File.ReadAllText(Programs.Script("Kafka", folder, file)))
        select new TheoryDataRow<string>(match.Groups[1].Value);

    [GeneratedRegex(@"^  async (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex JavaScript();

    [GeneratedRegex(@"^@scenario\ndef (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex PythonFunction();
}
