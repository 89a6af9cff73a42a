using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>Clients that take more than their quota are told so, and notice it.</summary>
public sealed class KafkaThrottleTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await PillarboxProcess.StartAsync(_directory.File("data"));
        string[] set =
        [
            "quota", "set", "--for-client-id", "held-back", "--producer-byte-rate", "100000", "--consumer-byte-rate",
            "100000", "--url", _node.HttpUrl,
        ];
        (await ClientProcess.RunAsync(Programs.Pillarbox, set)).AssertExit(0);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Librdkafka_hears_of_it_writing_and_reading()
    {
        string program = await Programs.KafkaClientOfToday.Value;
        (await ClientProcess.RunAsync(program, [_node.KafkaServers, "throttled", "t"])).AssertOk();
        Assert.False(_node.HasExited, _node.Output);
    }

    [Fact]
    public async Task Kafka_python_counts_it_writing_and_reading()
    {
        string[] command = [Programs.Script("Kafka", "kafka-python", "throttled.py"), _node.KafkaServers];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
        Assert.False(_node.HasExited, _node.Output);
    }
}
