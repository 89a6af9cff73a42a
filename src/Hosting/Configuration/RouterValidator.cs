using Pillarbox.Hosting.Dialing;
using Pillarbox.Hosting.Listeners;
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
        // Over HTTP it is a WebSocket.
        bool isAmqp = ConfigValidator.ProtocolOf(name, listener) is ListenerProtocol.Amqp or ListenerProtocol.Http;
        Require(
            role == ConnectionRole.Normal || isAmqp, source, $"listeners.{name}.role",
                "is for AMQP and HTTP listeners");
        ValidateAmqpOnly(name, listener, source);
        foreach (string url in listener.FailoverUrls)
        {
            Require(
                DialPlace.TryParse(url, out DialPlace? place) && place.Address.UnixPath is null, source,
                $"listeners.{name}.failoverUrls", $"must be amqp(s)://host:port or ws(s)://host:port, not '{url}'");
        }

        ValidateOpenProperties(listener.OpenProperties, source, $"listeners.{name}.openProperties");
        Require(listener.Cost >= 1, source, $"listeners.{name}.cost", "must be at least 1");
        listener.Connections?.Validate(source, $"listeners.{name}.connections");
        Require(
            listener.LoginService is null || config.Router is not null, source, $"listeners.{name}.loginService",
            "needs the node to be a router: set router.mode (--mode)");
        Require(
            listener.LoginService is null || DialPlace.TryParse(listener.LoginService.Address, out _), source,
            $"listeners.{name}.loginService.address", $"must be {DialPlace.Shape}");
        ValidateTls(listener.Tls, source, $"listeners.{name}.tls");
    }

    // What nobody would look at says nothing about who may connect: it must not seem to.
    private static void ValidateAmqpOnly(string name, ListenerConfig listener, string source)
    {
        if (ConfigValidator.ProtocolOf(name, listener)
            is ListenerProtocol.Amqp or ListenerProtocol.Http or ListenerProtocol.All)
        {
            return;
        }

        (string Setting, bool IsSet)[] settings =
        [
            ("cost", listener.Cost > 1), ("connections", listener.Connections is not null),
            ("loginService", listener.LoginService is not null),
            ("multiTenant", listener.MultiTenant), ("policyVhost", listener.PolicyVhost is not null),
            ("failoverUrls", listener.FailoverUrls.Count > 0), ("openProperties", listener.OpenProperties.Count > 0),
            ("tls.clientNames", listener.Tls?.ClientNames is not null),
        ];
        foreach ((string setting, bool isSet) in settings)
        {
            Require(!isSet, source, $"listeners.{name}.{setting}", "is for AMQP, which is not spoken here");
        }
    }

    private static void ValidateTls(TlsConfig? tls, string source, string path)
    {
        if (tls is null)
        {
            return;
        }

        bool isRange = (tls.OldestVersion, tls.NewestVersion) is ("1.2", "1.2") or ("1.2", "1.3") or ("1.3", "1.3");
        Require(isRange, source, $"{path}.oldestVersion", "and newestVersion must be 1.2 or 1.3, the oldest first");
        if (tls.ClientNames is { } names)
        {
            Require(
                tls.ClientAuthorities is not null && tls.ClientCertificates != ClientCertificateMode.None, source,
                $"{path}.clientNames", "needs clientCertificates and the clientAuthorities that may name users");
            Require(
                CertificateUsers.IsFormat(names.Format), source, $"{path}.clientNames.format",
                $"must be letters of {CertificateUsers.Letters}, each once, not '{names.Format}'");
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
        Require(address.Priority is null or (>= 0 and <= 9), source, $"{path}.priority", "must be from 0 to 9");
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

    /// <summary>A connector, of the configuration or made while the node runs.</summary>
    public static void ValidateConnector(
        RouterSection router, ConnectorConfig connector, string source, string path)
    {
        Require(
            IsFit(router, connector.Role, isListener: false), source, path,
            "does not fit router.mode: interior nodes connect inter-router, edge nodes edge");
        Require(connector.Cost >= 1, source, $"{path}.cost", "must be at least 1");
        Require(connector.Addresses.Count > 0, source, $"{path}.addresses", "must name at least one host:port");
        foreach (string text in connector.Addresses)
        {
            bool isGood = DialPlace.TryParse(text, out DialPlace? place);
            Require(isGood, source, $"{path}.addresses", $"must be {DialPlace.Shape}, not '{text}'");
            Require(
                connector.Tls is null || place!.Scheme != DialScheme.WebSocket, source, $"{path}.addresses",
                $"must be wss://, for there is a section 'tls', not '{text}'");
            Require(
                connector.Proxy is null || place!.Address.UnixPath is null, source, $"{path}.addresses",
                $"must be a host, for there is a proxy, not '{text}'");
        }

        if (connector.Proxy is { } proxy)
        {
            Require(
                proxy.TryAddress(out _), source, $"{path}.proxy.url",
                $"must be http://host:port, without a user, not '{proxy.Url}'");
            Require(
                proxy.PasswordFile is null || proxy.PasswordVariable is null, source, $"{path}.proxy",
                "has its password either in a file or in an environment variable");
        }

        connector.Connections?.Validate(source, $"{path}.connections");
        ValidateOpenProperties(connector.OpenProperties, source, $"{path}.openProperties");
    }

    private static void ValidateOpenProperties(
        IReadOnlyDictionary<string, string> properties, string source, string path)
    {
        foreach (string key in properties.Keys)
        {
            bool isOwn = key is "product" or "version" or "failover-server-list" or "network-host" or "port" or "scheme"
                or "hostname" || key.StartsWith("qd.", StringComparison.Ordinal);
            Require(!isOwn && key.Length > 0, source, path, $"cannot set '{key}', which the node says itself");
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
