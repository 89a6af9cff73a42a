using Pillarbox.Broker.Addresses;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Model;

namespace Pillarbox.Hosting.Configuration;

/// <summary>
/// What a configuration must fulfil beyond its shape. Throws <see cref="ConfigException"/> at the first breach.
/// </summary>
internal static class ConfigValidator
{
    private const int SpaceNameCharsMax = 64;

    public static void Validate(PillarboxConfig config, string source)
    {
        Require(config.DataDirectory.Length > 0, source, "dataDirectory", "must not be empty");
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            ValidateListener(name, listener, source);
            bool known = listener.AddressSpace is null or "default"
                || config.AddressSpaces.ContainsKey(listener.AddressSpace);
            Require(known, source, $"listeners.{name}.addressSpace", "is none of addressSpaces");
            RouterValidator.ValidateListener(config, name, listener, source);
        }

        RouterValidator.Validate(config.Router, source);

        ValidateQueues(config.Queues, source, "");
        ValidateLimits(config.Limits, source);
        ProtocolsValidator.Validate(config.Protocols, source);
        ValidateSecurity(config, source);
        foreach ((string pattern, AddressSettings settings) in config.AddressSettings)
        {
            ValidateSettings(pattern, settings, source, "");
        }

        foreach ((string name, AddressSpaceConfig space) in config.AddressSpaces)
        {
            ValidateSpace(name, space, source);
        }
    }

    private static void ValidateSpace(string name, AddressSpaceConfig space, string source)
    {
        string path = $"addressSpaces.{name}";
        bool good = name.Length is > 0 and <= SpaceNameCharsMax && name.All(c => char.IsAsciiLetterOrDigit(c)
            || c is '-' or '_' or '.');
        Require(good, source, path, "is no name: use letters, digits, '-', '_' and '.'");
        Require(name != "default", source, path, "is there already; its queues and settings stand at the top");
        ValidateQueues(space.Queues, source, path + ".");
        foreach ((string pattern, AddressSettings settings) in space.AddressSettings)
        {
            ValidateSettings(pattern, settings, source, path + ".");
        }
    }

    private static void ValidateListener(string name, ListenerConfig listener, string source)
    {
        string path = $"listeners.{name}";
        Require(
            ProtocolOf(name, listener) is { } protocol && NodeProtocols.IsServed(protocol),
            source, $"{path}.protocol", $"is needed: {NodeProtocols.Names}");
        Require(listener.Addresses.Count > 0, source, $"{path}.addresses", "must name at least one host:port");
        for (int i = 0; i < listener.Addresses.Count; i++)
        {
            if (!ListenAddress.TryParse(listener.Addresses[i], out _, out string? error))
            {
                throw new ConfigException($"{source}: '{path}.addresses[{i}]' {error}");
            }
        }

        if (listener.Advertised is { } advertised && !ListenAddress.TryParse(advertised, out _, out string? fault))
        {
            throw new ConfigException($"{source}: '{path}.advertised' {fault}");
        }

        for (int i = 0; i < listener.Proxies.Count; i++)
        {
            Require(
                ListenerPlan.TryNetwork(listener.Proxies[i], out _), source, $"{path}.proxies[{i}]",
                "must be an address or a network such as 10.0.0.0/8");
        }

        Require(
            listener.Proxies.Count == 0 || listener.ProxyProtocol,
            source, $"{path}.proxies", "needs proxyProtocol: true");
        if (listener.Tls is { } tls)
        {
            Require(tls.Certificate.Length > 0, source, $"{path}.tls.certificate", "is needed: a PEM or PFX file");
        }
    }

    /// <summary>The protocol of a listener: what it says, else what its name says.</summary>
    public static ListenerProtocol? ProtocolOf(string name, ListenerConfig listener) =>
        listener.Protocol
        ?? (ConnectionRoles.TryParse(name, out _) ? ListenerProtocol.Amqp : (ListenerProtocol?)null)
        ?? (Enum.TryParse(name, ignoreCase: true, out ListenerProtocol named) && Enum.IsDefined(named) ? named : null);

    private static void ValidateQueues(IReadOnlyList<QueueEntryConfig> queues, string source, string prefix)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < queues.Count; i++)
        {
            QueueEntryConfig queue = queues[i];
            string? error = AddressName.Check(queue.Name, "name");
            Require(error is null, source, $"{prefix}queues[{i}].name", $"cannot be used: {error}");
            string path = $"{prefix}queues[{i}]";
            Require(seen.Add(queue.Name), source, $"{path}.name", $"repeats '{queue.Name}'; queue names are unique");
            bool good = queue.ConsumersMax is -1 or > 0;
            Require(good, source, $"{path}.consumersMax", "must be -1 (no limit) or at least 1");
        }
    }

    private static void ValidateSettings(string pattern, AddressSettings settings, string source, string prefix)
    {
        string path = $"{prefix}addressSettings.{pattern}";
        Require(pattern.Length > 0, source, path, "needs an address pattern as its name; '#' is all");
        int attempts = settings.MaxDeliveryAttempts ?? -1;
        Setting(attempts is -1 or > 0, "maxDeliveryAttempts", "must be -1 (for ever) or at least 1");
        Setting(settings.RedeliveryDelayMs is null or >= 0, "redeliveryDelayMs", "must not be negative");
        double multiplier = settings.RedeliveryDelayMultiplier ?? 1.0;
        Setting(multiplier >= 1.0, "redeliveryDelayMultiplier", "must be at least 1.0");
        double avoidance = settings.RedeliveryCollisionAvoidance ?? 0;
        Setting(avoidance is >= 0.0 and <= 1.0, "redeliveryCollisionAvoidance", "must be from 0 to 1");

        void Setting(bool holds, string name, string sentence) => Require(holds, source, $"{path}.{name}", sentence);
    }

    private static void ValidateSecurity(PillarboxConfig config, string source)
    {
        bool good = config.Security.SessionLifetimeMs is 0 or >= 1000;
        Require(good, source, "security.sessionLifetimeMs", "must be 0 or at least 1000");
        if (config.Security.Tokens is not { } tokens)
        {
            return;
        }

        Tokens(tokens.Issuer.Length > 0, "issuer", "is needed: the claim 'iss' of the tokens");
        Tokens(tokens.Audiences.Count > 0, "audiences", "must name at least one: the claim 'aud' of the tokens");
        Tokens(tokens.NameClaim.Length > 0, "nameClaim", "must not be empty");
        Tokens(tokens.ClockSkewMs is >= 0 and <= 600_000, "clockSkewMs", "must be from 0 to 600000");
        Tokens(tokens.KeysAgeMsMax >= 10_000, "keysAgeMsMax", "must be at least 10000");
        Tokens(TokenKeysReader.Fault(tokens.Keys) is null, "keys", TokenKeysReader.Fault(tokens.Keys) ?? "");
        bool known = tokens.AddressSpace is null or "default" || config.AddressSpaces.ContainsKey(tokens.AddressSpace);
        Tokens(known, "addressSpace", "is none of addressSpaces");

        void Tokens(bool holds, string name, string sentence) =>
            Require(holds, source, $"security.tokens.{name}", sentence);
    }

    private static void ValidateLimits(LimitsConfig limits, string source)
    {
        Range(limits.ConnectionsMax, 1, 10_000_000, source, "connectionsMax");
        Range(limits.CacheBytes, 1 << 20, 1L << 40, source, "cacheBytes");
        Range(limits.SegmentBytes, 1 << 20, 1 << 30, source, "segmentBytes");
        Range(limits.LargeMessageBytesMin, 1 << 10, 64 << 20, source, "largeMessageBytesMin");
        Range(limits.TransactionBytesMax, 1 << 10, 1 << 30, source, "transactionBytesMax");
        Range(limits.ProducerCredit, 1, 1_000_000, source, "producerCredit");
        Range(limits.AmqpFrameBytesMax, 512, 16 << 20, source, "amqpFrameBytesMax");
        Range(limits.AmqpIdleTimeoutMs, 0, int.MaxValue, source, "amqpIdleTimeoutMs");
        Range(limits.HandshakeTimeoutMs, 100, 600_000, source, "handshakeTimeoutMs");
        Range(limits.LoginRefusalDelayMs, 0, 10_000, source, "loginRefusalDelayMs");
        Range(limits.DrainTimeoutMs, 0, 600_000, source, "drainTimeoutMs");
        Range(limits.QuarantineBytesMax, 0, 1L << 40, source, "quarantineBytesMax");
        Range(limits.OffsetsBytesMax, 1 << 20, 1L << 40, source, "offsetsBytesMax");
        Range(limits.OffsetRetentionMs, 60_000, 3_650L * 86_400_000, source, "offsetRetentionMs");
        Range(limits.XaTimeoutMs, 100, 86_400_000, source, "xaTimeoutMs");
        Range(limits.Shards, 0, 256, source, "shards");
    }

    private static void Range(long value, long least, long most, string source, string name) =>
        Require(
            value >= least && value <= most, source, $"limits.{name}", $"must be from {least} to {most}, not {value}");

    internal static void Require(bool holds, string source, string path, string sentence)
    {
        if (!holds)
        {
            throw new ConfigException($"{source}: '{path}' {sentence}");
        }
    }
}
