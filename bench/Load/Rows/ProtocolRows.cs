namespace Pillarbox.Load.Rows;

/// <summary>The rows of MQTT, STOMP and OpenWire, and of messages from one protocol to another.</summary>
internal static class ProtocolRows
{
    private static readonly string[] MqttPeers = ["pillarbox", "mosquitto", "activemq"];

    private static readonly string[] JmsPeers = ["pillarbox", "activemq"];

    public static IReadOnlyList<ILoadRow> All { get; } =
    [
        Mqtt("mqtt-1-1", "MQTT, QoS 0, 100 B, one publisher, one subscriber", "",
            Goal.AtMost("at most 4 us of server CPU", Figure.ServerCpuUs, 4)),
        Mqtt("mqtt-1-100", "MQTT, QoS 0, 100 B, one publisher, 100 subscribers", "--subscribers 100",
            Goal.AtMost("at most 1.5 us of server CPU per delivery", Figure.ServerCpuUs, 1.5)),
        Mqtt("mqtt-qos1", "MQTT, QoS 1, 100 B, one publisher, one subscriber with a session that lasts: durable in "
            + "Pillarbox, in memory in mosquitto", "--qos 1 --persistent"),
        Mqtt("mqtt-qos1-100", "the same with 100 subscribers", "--qos 1 --persistent --subscribers 100"),
        Mqtt("mqtt-qos2", "MQTT, QoS 2, 100 B, one publisher, one subscriber with a session that lasts, as above",
            "--qos 2 --persistent"),
        new ProtocolRow("mqtt",
            "mqtt-subscriptions-100000", "QoS 0 1:1 beside 100,000 subscriptions of 1,000 clients that match nothing",
            "--idle-connections 1000 --idle-subscriptions 100")
        {
            IsLong = true,
            Goals =
            [
                Goal.AtMost("at most 4 us of server CPU", Figure.ServerCpuUs, 4),
                Goal.AtMost("at most 1,024 bytes for a subscription", Figure.IdleSubscriptionBytes, 1024),
            ],
        },
        new MqttIdleRow(),
        Jms("stomp", "stomp-durable", "STOMP, durable with receipts, 100 B, one sender, one receiver", "--durable",
            Goal.RatioTo("activemq", "ActiveMQ", 10)),
        Jms("stomp", "stomp-transient", "STOMP, not durable, 100 B, one sender, one receiver", "",
            Goal.RatioTo("activemq", "ActiveMQ", 3)),
        Jms("openwire", "openwire-one", "OpenWire, durable, 100 B, one by one", "--durable --in-flight 1", Sixth),
        Jms("openwire", "openwire-durable", "OpenWire, durable, 100 B, 1,000 under way", "--durable", Sixth),
        Jms("openwire", "openwire-100", "OpenWire, durable, 100 B, local transactions of 100",
            "--durable --transaction 100", Sixth),
        Jms("openwire", "openwire-transient", "OpenWire, not durable, 100 B", "", Sixth),
        new JmsRow("one", "OpenWire by the Java client, durable, 100 B, one by one") { Goals = [Sixth] },
        new JmsRow("async", "OpenWire by the Java client, durable, 100 B, sends without answers") { Goals = [Sixth] },
        new JmsRow("100", "OpenWire by the Java client, durable, 100 B, local transactions of 100 on both sides")
        {
            Goals = [Sixth],
        },
        new JmsRow("transient", "OpenWire by the Java client, not durable, 100 B") { Goals = [Sixth] },
        new JmsRow("xa", "OpenWire by the Java client, durable, 100 B, distributed transactions in two phases, one "
            + "after the other, each with one message sent and one received")
        {
            Goals = [Goal.RatioTo("activemq", "ActiveMQ", 2), Sixth],
        },
        new JmsRow("xa-8", "the same on eight connections and queues at once")
        {
            Goals = [Goal.RatioTo("activemq", "ActiveMQ", 2), Sixth],
        },
        new CrossRow("mqtt", "amqp", "durable, 100 B, in by MQTT with QoS 1, out by AMQP"),
        new CrossRow("amqp", "stomp", "durable, 100 B, in by AMQP, out by STOMP"),
    ];

    private static Goal Sixth => new("at most a sixth of ActiveMQ's server CPU for a message",
        r => r.Median("pillarbox", Figure.ServerCpuUs) / r.Median("activemq", Figure.ServerCpuUs), 1.0 / 6, false);

    private static ProtocolRow Mqtt(string name, string description, string arguments, params Goal[] goals) =>
        new("mqtt", name, description, arguments)
        {
            Peers = MqttPeers,
            Goals = [Goal.RatioTo("mosquitto", "mosquitto", 2), .. goals],
        };

    private static ProtocolRow Jms(
        string protocol, string name, string description, string arguments, Goal goal) =>
        new(protocol, name, description, arguments) { Peers = JmsPeers, Goals = [goal] };
}
