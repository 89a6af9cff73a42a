using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Logins;

/// <summary>What both sides can and want, as their WireFormatInfos say it, and what is agreed. Used by the connection's
/// loop alone.</summary>
internal sealed class Negotiation(OpenWireOptions options)
{
    /// <summary>How both write from now on.</summary>
    public WireFormat Format { get; private set; } = WireFormat.Initial;

    /// <summary>The host that the client meant to reach; null: it does not say.</summary>
    public string? Host { get; private set; }

    /// <summary>What was agreed on silence, in milliseconds; 0: nothing, or for ever.</summary>
    public long InactivityMs { get; private set; }

    /// <summary>The longest frame that the client takes, in bytes.</summary>
    public long PeerFrameBytesMax { get; private set; } = long.MaxValue;

    /// <summary>Takes what the client says; what the node says to it.</summary>
    /// <exception cref="OpenWireException">It is no client.</exception>
    public WireFormatInfo Agree(WireFormatInfo theirs)
    {
        if (!theirs.IsValid || theirs.Version < 1)
        {
            throw new OpenWireException("this is no OpenWire client");
        }

        var ours = new WireFormatInfo
        {
            CacheEnabled = true,
            TightEncodingEnabled = true,
            SizePrefixDisabled = true,
            CacheSize = WireLimits.CacheSlotsMax,
            MaxFrameSize = options.FrameBytesMax,
            MaxInactivityDurationMs = options.InactivityMs,
            MaxInactivityInitialDelayMs = options.HandshakeTimeoutMs,
            ProviderName = "Pillarbox",
            ProviderVersion = options.Version,
        };
        Format = new WireFormat(
            Math.Min(theirs.Version, ours.Version),
            theirs.TightEncodingEnabled,
            theirs.CacheEnabled,
            !theirs.SizePrefixDisabled,
            Math.Clamp(theirs.CacheSize, 0, WireLimits.CacheSlotsMax));
        Host = theirs.Host;
        PeerFrameBytesMax = theirs.MaxFrameSize > 0 ? theirs.MaxFrameSize : long.MaxValue;
        InactivityMs = Math.Clamp(theirs.MaxInactivityDurationMs, 0, options.InactivityMs);
        return ours.Seal();
    }

    /// <summary>Who the node is.</summary>
    public BrokerInfo Introduce() => new()
    {
        BrokerId = new BrokerId { Value = options.BrokerName },
        BrokerName = options.BrokerName,
        BrokerUrl = options.NodeUris.Count > 0 ? options.NodeUris[0] : null,
        PeerBrokers = [],
    };

    /// <summary>Where clients find the nodes, for those that can fail over.</summary>
    public ConnectionControl TellNodes() => new()
    {
        ConnectedBrokers = string.Join(',', options.NodeUris),
        FaultTolerant = options.NodeUris.Count > 1,
    };
}
