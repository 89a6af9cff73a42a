using System.Collections.Frozen;
using System.Globalization;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;

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
    public const sbyte GivenForGroup = 8;

    private static readonly (string OfBroker, string OfTopic)[] DefaultsOfTopics =
    [
        ("compression.type", "compression.type"),
        ("log.cleanup.policy", "cleanup.policy"),
        ("log.message.timestamp.type", "message.timestamp.type"),
        ("log.retention.bytes", "retention.bytes"),
        ("log.retention.ms", "retention.ms"),
        ("log.segment.bytes", "segment.bytes"),
        ("message.max.bytes", "max.message.bytes"),
    ];

    /// <summary>The settings that resources of a type may be given; null when they can be given none here.</summary>
    public static FrozenDictionary<string, StreamSetting>? SettingsOf(sbyte type) => type switch
    {
        Topic => StreamSetting.All,
        Group => GroupConfig.All,
        _ => null,
    };

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
    public static IEnumerable<(string Name, string Value, SettingType Type)> OfBroker(
        KafkaOptions options, CoordinatorOptions coordinators) =>
        [.. OfNode(options), .. OfTopics(), .. OfCoordinators(coordinators)];

    private static IEnumerable<(string Name, string Value, SettingType Type)> OfNode(KafkaOptions options)
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

    // What a topic has that is given nothing, under the names that the field's brokers have for it.
    private static IEnumerable<(string Name, string Value, SettingType Type)> OfTopics()
    {
        foreach ((string name, string ofTopic) in DefaultsOfTopics)
        {
            StreamSetting setting = StreamSetting.All[ofTopic];
            yield return (name, setting.Default, setting.Type);
        }
    }

    private static IEnumerable<(string Name, string Value, SettingType Type)> OfCoordinators(CoordinatorOptions options)
    {
        GroupOptions groups = options.Groups;
        yield return ("group.initial.rebalance.delay.ms", Text(groups.InitialRebalanceDelayMs), SettingType.Int);
        yield return ("group.min.session.timeout.ms", Text(groups.SessionTimeoutMsMin), SettingType.Int);
        yield return ("group.max.session.timeout.ms", Text(groups.SessionTimeoutMsMax), SettingType.Int);
        yield return ("group.max.size", Text(groups.MembersMax), SettingType.Int);
        yield return ("group.consumer.session.timeout.ms", Text(groups.ConsumerSessionTimeoutMs), SettingType.Int);
        yield return ("group.consumer.heartbeat.interval.ms", Text(groups.HeartbeatIntervalMs), SettingType.Int);
        yield return ("group.share.session.timeout.ms", Text(groups.ConsumerSessionTimeoutMs), SettingType.Int);
        yield return ("group.share.heartbeat.interval.ms", Text(groups.HeartbeatIntervalMs), SettingType.Int);
        yield return ("group.share.max.size", Text(groups.ShareMembersMax), SettingType.Int);
        yield return ("group.share.record.lock.duration.ms", Text(options.Shares.LockMs), SettingType.Int);
        yield return ("group.share.delivery.count.limit", Text(options.Shares.DeliveryCountMax), SettingType.Int);
        yield return ("group.share.partition.max.record.locks", Text(options.Shares.InFlightMax), SettingType.Int);
        yield return ("offset.metadata.max.bytes", Text(groups.OffsetMetadataBytesMax), SettingType.Int);
        yield return ("offsets.retention.minutes", Text((int)(groups.OffsetRetentionMs / 60_000)), SettingType.Int);
        yield return ("offsets.topic.num.partitions", Text(options.Partitions), SettingType.Int);
        yield return ("transaction.max.timeout.ms", Text(options.Transactions.TimeoutMsMax), SettingType.Int);
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
