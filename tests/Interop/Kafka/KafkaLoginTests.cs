using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>Logins of Kafka clients: SASL PLAIN and SCRAM, by librdkafka (SaslHandshake version 1).</summary>
public sealed class KafkaLoginTests : IAsyncLifetime
{
    private const string Password = "a-long-secret-of-alice";

    private readonly TemporaryDirectory _directory = new();
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        string[] add = ["user", "add", "alice", "--role", "admin", "--data", _directory.File("data")];
        ClientResult added = await ClientProcess.RunAsync(Programs.Pillarbox, add, Password + "\n");
        Assert.True(added.ExitCode == 0, added.Everything);
        _node = await PillarboxProcess.StartAsync(_directory.File("data"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task Who_knows_the_password_may_send_and_receive(string mechanism)
    {
        (await RunAsync("hello\n", mechanism, Password, "-P", "-t", mechanism)).AssertExit(0);
        ClientResult got = await RunAsync(null, mechanism, Password, "-C", "-t", mechanism, "-e", "-q");
        got.AssertExit(0);
        Assert.Equal("hello\n", got.Output);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-512")]
    public async Task A_wrong_password_is_refused(string mechanism)
    {
        ClientResult result = await RunAsync(null, mechanism, "wrong", "-L", "-m", "5");
        result.AssertExit(1);
        Assert.Contains("Authentication failed", result.Errors, StringComparison.Ordinal);
        Assert.False(_node.HasExited, _node.Output);
    }

    [Fact]
    public async Task Nobody_gets_in_without_a_login()
    {
        (await ClientProcess.RunAsync("kcat", ["-b", _node.KafkaServers, "-L", "-m", "3"])).AssertExit(1);
    }

    private Task<ClientResult> RunAsync(string? input, string mechanism, string password, params string[] arguments) =>
        ClientProcess.RunAsync(
            "kcat",
            [
                "-b", _node.KafkaServers, "-X", "security.protocol=SASL_PLAINTEXT", "-X", $"sasl.mechanism={mechanism}",
                "-X", "sasl.username=alice", "-X", $"sasl.password={password}", .. arguments,
            ],
            input);
}
