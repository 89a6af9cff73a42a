using Pillarbox.Server.Cli.Perf.Messaging;
using Pillarbox.Server.Cli.Perf.Mqtt;
using Pillarbox.Server.Cli.Perf.OpenWire;
using Pillarbox.Server.Cli.Perf.Stomp;

namespace Pillarbox.Server.Cli.Perf.Cross;

/// <summary>
/// What a measurement from one protocol to another is to do: <see cref="MessagingPerfOptions.Server"/> is where
/// messages go in, <see cref="MessagingPerfOptions.Destination"/> the queue's name. Immutable.
/// </summary>
internal sealed record CrossPerfOptions : MessagingPerfOptions
{
    // An MQTT publisher adds a level of its own to its topic.
    private const string FirstPublisher = "/0";

    /// <summary>What it is sent by: amqp, mqtt, openwire or stomp.</summary>
    public required string From { get; init; }

    /// <summary>What it is received by: amqp, openwire or stomp.</summary>
    public required string To { get; init; }

    /// <summary>Where messages come out.</summary>
    public required PerfServer ToServer { get; init; }

    // The queue as all but MQTT name it.
    private string Queue => From == "mqtt" ? Destination + FirstPublisher.Replace('/', '.') : Destination;

    public PerfOptions ToAmqp(bool isSender)
    {
        PerfServer server = isSender ? Server : ToServer;
        var target = new AmqpTarget { Url = new UriBuilder("amqp", server.Host, server.Port).Uri };
        return new PerfOptions
        {
            Target = target,
            ReceiveTarget = target,
            Address = Queue,
            ReceiveAddress = Queue,
            BodyBytes = BodyBytes,
            Durable = Durable,
            InFlight = InFlight,
        };
    }

    public MqttPerfOptions ToMqtt() => new()
    {
        Server = Server,
        Topic = Destination,
        BodyBytes = BodyBytes,
        Qos = Durable ? 1 : 0,
        InFlight = InFlight,
    };

    public StompPerfOptions ToStomp(bool isSender) => new()
    {
        Server = isSender ? Server : ToServer,
        Destination = "/queue/" + Queue,
        BodyBytes = BodyBytes,
        Durable = Durable,
        InFlight = InFlight,
    };

    public OpenWirePerfOptions ToOpenWire(bool isSender) => new()
    {
        Server = isSender ? Server : ToServer,
        Destination = Queue,
        BodyBytes = BodyBytes,
        Durable = Durable,
        InFlight = InFlight,
    };
}
