namespace Pillarbox.Hosting.Configuration;

/// <summary>What the settings of single protocols must fulfil. Throws <see cref="ConfigException"/>.</summary>
internal static class ProtocolsValidator
{
    private const int ReferenceCharsMax = 1024;

    public static void Validate(ProtocolsConfig protocols, string source)
    {
        Validate(protocols.Mqtt, source);
        Validate(protocols.Stomp, source);
        Validate(protocols.OpenWire, source);
    }

    private static void Validate(MqttConfig mqtt, string source)
    {
        Range(mqtt.PacketBytesMax, 1024, 268435460, source, "protocols.mqtt.packetBytesMax");
        Range(mqtt.KeepAliveSecondsMax, 0, 65535, source, "protocols.mqtt.keepAliveSecondsMax");
        Range(mqtt.SessionExpirySecondsMax, 0, 4294967295L, source, "protocols.mqtt.sessionExpirySecondsMax");
        Range(mqtt.ReceiveMaximum, 1, 65535, source, "protocols.mqtt.receiveMaximum");
        Range(mqtt.InFlightMax, 1, 65535, source, "protocols.mqtt.inFlightMax");
        Range(mqtt.TopicAliasMaximum, 0, 65535, source, "protocols.mqtt.topicAliasMaximum");
        Range(mqtt.WaitingMessagesMax, 0, 2147483647, source, "protocols.mqtt.waitingMessagesMax");
        Range(mqtt.SubscriptionsMax, 1, 10000000, source, "protocols.mqtt.subscriptionsMax");
        Range(mqtt.StreamSubscriptionsMax, 0, 10_000, source, "protocols.mqtt.streamSubscriptionsMax");
        Range(mqtt.RetainedMessagesMax, 0, 2147483647, source, "protocols.mqtt.retainedMessagesMax");
        Range(mqtt.RetainedBytesMax, 0, 1099511627776L, source, "protocols.mqtt.retainedBytesMax");
        Range(mqtt.DelayedWillsMax, 0, 10000000, source, "protocols.mqtt.delayedWillsMax");
        Range(mqtt.SystemTopicsIntervalMs, 0, 86400000, source, "protocols.mqtt.systemTopicsIntervalMs");
        string? fault = mqtt.RetainedStream is { } stream ? Broker.Streams.StreamCatalog.CheckName(stream) : null;
        ConfigValidator.Require(fault is null, source, "protocols.mqtt.retainedStream", fault ?? "");
        bool isReference = mqtt.ServerReference is null or { Length: > 0 and <= ReferenceCharsMax };
        ConfigValidator.Require(
            isReference, source, "protocols.mqtt.serverReference", $"must have 1 to {ReferenceCharsMax} characters");
    }

    private static void Validate(StompConfig stomp, string source)
    {
        Range(stomp.HeadBytesMax, 1024, 49152, source, "protocols.stomp.headBytesMax");
        Range(stomp.HeadersMax, 8, 65536, source, "protocols.stomp.headersMax");
        Range(stomp.BodyBytesMax, 0, 1125899906842624L, source, "protocols.stomp.bodyBytesMax");
        Range(stomp.HeartbeatMs, 0, 3600000, source, "protocols.stomp.heartbeatMs");
        Range(stomp.SubscriptionsMax, 1, 1000000, source, "protocols.stomp.subscriptionsMax");
        Range(stomp.TransactionsMax, 1, 1000000, source, "protocols.stomp.transactionsMax");
        Range(stomp.WindowMessages, 1, 65536, source, "protocols.stomp.windowMessages");
    }

    private static void Validate(OpenWireConfig openWire, string source)
    {
        Range(openWire.FrameBytesMax, 1024, 2147483647, source, "protocols.openWire.frameBytesMax");
        Range(openWire.InactivityMs, 0, 3600000, source, "protocols.openWire.inactivityMs");
        Range(openWire.SessionsMax, 1, 1000000, source, "protocols.openWire.sessionsMax");
        Range(openWire.ConsumersMax, 1, 1000000, source, "protocols.openWire.consumersMax");
        Range(openWire.ProducersMax, 1, 1000000, source, "protocols.openWire.producersMax");
        Range(openWire.WildcardQueuesMax, 1, 1000000, source, "protocols.openWire.wildcardQueuesMax");
        Range(openWire.UnacknowledgedMax, 1, 10000000, source, "protocols.openWire.unacknowledgedMax");
    }

    private static void Range(long value, long least, long most, string source, string path) =>
        ConfigValidator.Require(
            value >= least && value <= most, source, path, $"must be from {least} to {most}, not {value}");
}
