using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>@platformatic/kafka as an administrator's tool: ACLs, quotas, SCRAM credentials, the quorum; and
/// librdkafka's subscriptions by expressions, of users who may not see every topic, and idempotent producers of those
/// who may write nowhere.</summary>
public sealed class KafkaSecurityTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Configuration = """
        { "security": { "permissions": { "#": { "admin": [
            "createAddress", "deleteAddress", "createDurableQueue", "deleteDurableQueue", "createNonDurableQueue",
            "deleteNonDurableQueue", "send", "consume", "browse", "manage", "view", "edit"
        ] } } } }
        """;

    private readonly TemporaryDirectory _directory = new();
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        foreach (string[] user in (string[][])[["root", "--role", "admin"], ["alice", "--role", "nothing"]])
        {
            string[] add = ["user", "add", .. user, "--data", _directory.File("data")];
            ClientResult added = await ClientProcess.RunAsync(Programs.Pillarbox, add, Password + "\n");
            Assert.True(added.ExitCode == 0, added.Everything);
        }

        string config = _directory.File("pillarbox.json");
        await File.WriteAllTextAsync(config, Configuration);
        _node = await PillarboxProcess.StartAsync(_directory.File("data"), "--config", config);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("acls")]
    [InlineData("quotas")]
    [InlineData("scram")]
    [InlineData("quorum")]
    public async Task Scenario_ends_well(string name)
    {
        string[] command =
        [
            $"PASSWORD={Password}", "node", Programs.Script("Kafka", "platformatic", "security.mjs"),
            _node.KafkaServers, name,
        ];
        (await ClientProcess.RunAsync("/usr/bin/env", command)).AssertOk();
        Assert.False(_node.HasExited, _node.Output);
    }

    [Theory]
    [InlineData("expression")]
    [InlineData("wrong_expression")]
    [InlineData("idempotent_write")]
    public async Task Librdkafka_scenario_ends_well(string name)
    {
        string program = await Programs.KafkaClientOfToday.Value;
        string[] command = [$"PASSWORD={Password}", program, _node.KafkaServers, name, $"t{Guid.NewGuid():N}"];
        (await ClientProcess.RunAsync("/usr/bin/env", command)).AssertOk();
        Assert.False(_node.HasExited, _node.Output);
    }
}
