using System.Globalization;
using Pillarbox.Broker.Streams;

namespace Pillarbox.Protocols.Kafka;

/// <summary>What settings belong to, and where a value comes from, in the protocol's numbers.</summary>
internal static class ConfigResources
{
    public const sbyte Topic = 2;
    public const sbyte Broker = 4;
    public const sbyte BrokerLogger = 8;
    public const sbyte ClientMetrics = 16;
    public const sbyte Group = 32;

    public const sbyte GivenForTopic = 1;
    public const sbyte GivenForBroker = 4;
    public const sbyte Default = 5;

    /// <summary>Where a topic's value comes from.</summary>
    public static sbyte SourceOf(StreamConfig config, StreamSetting setting) =>
        config.Given.ContainsKey(setting.Name) ? GivenForTopic : Default;

    /// <summary>The number of a value's type.</summary>
    public static sbyte TypeOf(SettingType type) => type switch
    {
        SettingType.Boolean => 1,
        SettingType.Text => 2,
        SettingType.Int => 3,
        SettingType.Long => 5,
        SettingType.Double => 6,
        SettingType.List => 7,
        _ => 0,
    };

    /// <summary>What a client may ask of the node itself. All come from the node's configuration file.</summary>
    public static IEnumerable<(string Name, string Value, SettingType Type)> OfBroker(KafkaOptions options)
    {
        string node = options.NodeId.ToString(CultureInfo.InvariantCulture);
        yield return ("auto.create.topics.enable", options.AutoCreateTopics ? "true" : "false", SettingType.Boolean);
        yield return ("broker.id", node, SettingType.Int);
        yield return ("default.replication.factor", "1", SettingType.Int);
        yield return ("delete.topic.enable", "true", SettingType.Boolean);
        yield return ("min.insync.replicas", "1", SettingType.Int);
        yield return ("node.id", node, SettingType.Int);
        yield return ("num.partitions", Text(options.AutoCreatePartitions), SettingType.Int);
        yield return ("offsets.topic.replication.factor", "1", SettingType.Int);
        yield return ("socket.request.max.bytes", Text(options.ProduceBytesMax), SettingType.Int);
        yield return ("fetch.max.bytes", Text(options.FetchBytesMax), SettingType.Int);
        yield return ("connections.max.idle.ms", Text(options.IdleTimeoutMs), SettingType.Long);
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
