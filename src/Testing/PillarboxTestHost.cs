using Pillarbox.Broker;
using Pillarbox.Hosting;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Testing;

/// <summary>
/// A whole node for a test: in memory, on free ports of 127.0.0.1, open to everybody on this machine. Each is apart
/// from all others.
/// <code>await using var node = await PillarboxTestHost.StartAsync();</code>
/// </summary>
public sealed class PillarboxTestHost : IAsyncDisposable
{
    private PillarboxTestHost(PillarboxNode node) => Node = node;

    /// <summary>The node itself.</summary>
    public PillarboxNode Node { get; }

    /// <summary>Where AMQP clients connect: <c>amqp://127.0.0.1:port</c>.</summary>
    public string AmqpUrl => Url(ListenerProtocol.Amqp);

    /// <summary>Where Kafka clients bootstrap: <c>127.0.0.1:port</c>.</summary>
    public string KafkaServers => Node.Endpoints.First(e => e.Protocol == ListenerProtocol.Kafka).Address;

    /// <summary>Where MQTT clients connect: <c>mqtt://127.0.0.1:port</c>.</summary>
    public string MqttUrl => Url(ListenerProtocol.Mqtt);

    /// <summary>Where health, metrics and the API are: <c>http://127.0.0.1:port</c>.</summary>
    public string HttpUrl => Url(ListenerProtocol.Http);

    /// <summary>The broker, for use within the process.</summary>
    public MessageBroker Broker => Node.Broker;

    /// <summary>Starts a node.</summary>
    /// <param name="configure">Changes to the configuration, such as queues or address settings; null: none.</param>
    /// <param name="seams">The seams, such as a hand clock or a disk; null: the machine's own.</param>
    public static async Task<PillarboxTestHost> StartAsync(
        Func<PillarboxConfig, PillarboxConfig>? configure = null, NodeSeams? seams = null)
    {
        var config = new PillarboxConfig
        {
            DataDirectory = PillarboxConfig.InMemory,
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["amqp"] = new() { Addresses = ["127.0.0.1:0"] },
                ["kafka"] = new() { Addresses = ["127.0.0.1:0"] },
                ["mqtt"] = new() { Addresses = ["127.0.0.1:0"] },
                ["http"] = new() { Addresses = ["127.0.0.1:0"] },
            },
            Limits = new LimitsConfig { DrainTimeoutMs = 1000 },
        };
        config = configure?.Invoke(config) ?? config;
        return new PillarboxTestHost(await PillarboxNode.StartAsync(config, seams ?? new NodeSeams()));
    }

    /// <summary>Stops the node; its messages are gone.</summary>
    public ValueTask DisposeAsync() => Node.DisposeAsync();

    private string Url(ListenerProtocol protocol) =>
        Node.Endpoints.FirstOrDefault(e => e.Protocol == protocol)?.Url
        ?? throw new InvalidOperationException($"this node has no {protocol} listener");
}
