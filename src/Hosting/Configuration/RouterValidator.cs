using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Hosting.Configuration;

/// <summary>What the part of a configuration must fulfil that makes the node one of a network.</summary>
internal static class RouterValidator
{
    /// <summary>A listener for other nodes needs a router of the right kind.</summary>
    public static void ValidateListener(PillarboxConfig config, string name, ListenerConfig listener, string source)
    {
        ConnectionRole role = ListenerConfig.RoleOf(name, listener);
        Require(
            IsFit(config.Router, role, isListener: true), source, $"listeners.{name}",
            "needs the node to be a router: set router.mode (--mode) to interior");
        Require(
            role == ConnectionRole.Normal || ConfigValidator.ProtocolOf(name, listener) == ListenerProtocol.Amqp,
            source, $"listeners.{name}.role", "is for AMQP listeners");
        Require(listener.Cost >= 1, source, $"listeners.{name}.cost", "must be at least 1");
        foreach (string text in listener.Failover)
        {
            bool isGood = ListenAddress.TryParse(text, out ListenAddress? place, out _)
                && place.UnixPath is null && place.Port > 0 && place.Host != "*";
            Require(isGood, source, $"listeners.{name}.failover", $"must be host:port, not '{text}'");
        }
    }

    public static void Validate(RouterSection? router, string source)
    {
        if (router is null)
        {
            return;
        }

        Require(
            router.Id is null || RouterId.IsValid(router.Id), source, "router.id",
            "must be a name without blanks, and not 'all'");
        Require(
            router.LinkCapacity is >= 1 and <= 1_000_000, source, "router.linkCapacity", "must be from 1 to 1000000");
        for (int i = 0; i < router.Addresses.Count; i++)
        {
            ValidateAddress(router.Addresses[i], source, $"router.addresses[{i}]");
        }

        ContainersValidator.Validate(router, source);
        ValidatePlaces(router.TcpListeners, source, "router.tcpListeners", isListener: true);
        ValidatePlaces(router.TcpConnectors, source, "router.tcpConnectors", isListener: false);
        foreach ((string name, ConnectorConfig connector) in router.Connectors)
        {
            ValidateConnector(router, connector, source, $"router.connectors.{name}");
        }
    }

    private static void ValidateAddress(RouterAddressConfig address, string source, string path)
    {
        Require(address.Prefix is null != address.Pattern is null, source, path, "needs either a prefix or a pattern");
        Require(address.IngressPhase is >= 0 and <= 9, source, $"{path}.ingressPhase", "must be from 0 to 9");
        Require(address.EgressPhase is >= 0 and <= 9, source, $"{path}.egressPhase", "must be from 0 to 9");
        bool isForUsers = address.Distribution is AddressTreatment.Balanced or AddressTreatment.Closest
            or AddressTreatment.Multicast or AddressTreatment.Unavailable;
        Require(
            !address.EnableFallback || (!address.Waypoint && address.IngressPhase == 0 && address.EgressPhase == 0),
            source, $"{path}.enableFallback", "goes with phase 0 only, and not with waypoint");
        Require(isForUsers, source, $"{path}.distribution", "must be balanced, closest, multicast or unavailable");
    }

    private static void ValidatePlaces(
        IReadOnlyDictionary<string, IReadOnlyList<string>> services, string source, string path, bool isListener)
    {
        foreach ((string service, IReadOnlyList<string> places) in services)
        {
            Require(service.Length > 0, source, path, "needs the service's address before each host:port");
            Require(places.Count > 0, source, $"{path}.{service}", "must name at least one host:port");
            foreach (string text in places)
            {
                bool isGood = ListenAddress.TryParse(text, out ListenAddress? place, out _)
                    && (isListener || place.UnixPath is not null || (place.Port > 0 && place.Host != "*"));
                Require(isGood, source, $"{path}.{service}", $"must be host:port, not '{text}'");
            }
        }
    }

    private static void ValidateConnector(
        RouterSection router, ConnectorConfig connector, string source, string path)
    {
        Require(
            IsFit(router, connector.Role, isListener: false), source, path,
            "does not fit router.mode: interior nodes connect inter-router, edge nodes edge");
        Require(connector.Cost >= 1, source, $"{path}.cost", "must be at least 1");
        Require(connector.Addresses.Count > 0, source, $"{path}.addresses", "must name at least one host:port");
        foreach (string text in connector.Addresses)
        {
            bool isGood = ListenAddress.TryParse(text, out ListenAddress? address, out _)
                && (address.UnixPath is not null || (address.Port > 0 && address.Host != "*"));
            Require(isGood, source, $"{path}.addresses", $"must be host:port, not '{text}'");
        }
    }

    private static bool IsFit(RouterSection? router, ConnectionRole role, bool isListener) => role switch
    {
        ConnectionRole.Normal => router is not null || isListener,
        ConnectionRole.InterRouter => router is { Mode: RouterMode.Interior },
        ConnectionRole.Edge => router?.Mode == (isListener ? RouterMode.Interior : RouterMode.Edge),
        _ => router is not null,
    };

    private static void Require(bool holds, string source, string path, string sentence) =>
        ConfigValidator.Require(holds, source, path, sentence);
}
