using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Dialing;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting.Listeners;

/// <summary>One address of one listener, before and after it is bound.</summary>
internal sealed class ListenerPlan(string name, ListenerProtocol protocol, ListenAddress address, TlsConfig? tls)
{
    /// <summary><c>host:port</c> to tell clients, when it is another than the listener's.</summary>
    public string? Advertised { get; init; }

    /// <summary>What the operator has said.</summary>
    public ListenerConfig Config { get; init; } = new();

    /// <summary>What connects here.</summary>
    public ConnectionRole Role { get; init; }

    /// <summary>What a way over a router's connection costs.</summary>
    public int Cost { get; init; } = 1;

    /// <summary>What AMQP knows of its connections before their first byte; null: they are clients', like all
    /// others.</summary>
    public ConnectionPlan? Peer { get; init; }

    /// <summary>The address space of all who connect here; null: each user's own.</summary>
    public string? AddressSpace { get; init; }

    /// <summary>Whether every connection begins with a PROXY header.</summary>
    public bool ProxyProtocol { get; init; }

    /// <summary>Where proxies come from; none: anywhere.</summary>
    public IReadOnlyList<IPNetwork> Proxies { get; init; } = [];

    /// <summary>Origins of pages that may open a WebSocket, beside the node's own.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>Whether only programs of this machine can connect: not so where a proxy hands others on.</summary>
    public bool IsLocal => Address.IsLocal && !ProxyProtocol;

    public string Name { get; } = name;

    public ListenerProtocol Protocol { get; } = protocol;

    public ListenAddress Address { get; } = address;

    /// <summary>Whether HTTP, and so WebSocket, is spoken here too.</summary>
    public bool SpeaksHttp => Protocol is ListenerProtocol.Http or ListenerProtocol.All;

    public TlsConfig? Tls { get; } = tls;

    /// <summary>What serves it: one protocol, or each of those that it takes. Fixed when the server starts.</summary>
    public IReadOnlyDictionary<ListenerProtocol, ConnectionHandler> Handlers { get; set; } =
        new Dictionary<ListenerProtocol, ConnectionHandler>();

    /// <summary>The socket that it listens on; null before it is bound.</summary>
    public IConnectionListener? Socket { get; set; }

    /// <summary>Takes no more connections.</summary>
    public async ValueTask StopListeningAsync()
    {
        if (Socket is { } socket)
        {
            await socket.UnbindAsync();
        }
    }

    /// <summary>Kestrel's side of it; it holds the real port once bound.</summary>
    public ListenOptions? Bound { get; set; }

    /// <summary>All addresses of all listeners; the defaults when none are configured.</summary>
    public static IReadOnlyList<ListenerPlan> Of(PillarboxConfig config)
    {
        IReadOnlyDictionary<string, ListenerConfig> listeners =
            config.Listeners.Count > 0 ? config.Listeners : DefaultListeners();
        var plans = new List<ListenerPlan>();
        foreach ((string name, ListenerConfig listener) in listeners)
        {
            ListenerProtocol protocol = ConfigValidator.ProtocolOf(name, listener)
                ?? throw new ConfigException($"listeners.{name}: name a protocol ({NodeProtocols.Names})");
            foreach (string text in listener.Addresses)
            {
                plans.Add(ListenAddress.TryParse(text, out ListenAddress? address, out string? error)
                    ? new ListenerPlan(name, protocol, address, listener.Tls)
                    {
                        Config = listener,
                        Role = ListenerConfig.RoleOf(name, listener),
                        Cost = listener.Cost,
                        Peer = PlanOf(name, listener, config.Router?.Id),
                        Advertised = listener.Advertised,
                        AddressSpace = listener.AddressSpace,
                        ProxyProtocol = listener.ProxyProtocol,
                        Proxies = [.. listener.Proxies.Select(NetworkOf)],
                        Origins = listener.Origins,
                    }
                    : throw new ConfigException($"listeners.{name}: an address {error}"));
            }
        }

        return plans;
    }

    private static ConnectionPlan? PlanOf(string name, ListenerConfig listener, string? nodeId)
    {
        ConnectionRole role = ListenerConfig.RoleOf(name, listener);
        bool isUsual = role == ConnectionRole.Normal && listener.FailoverUrls.Count == 0
            && listener is { OpenProperties.Count: 0, PolicyVhost: null, MultiTenant: false, Connections: null }
            && listener.LoginService is null && listener.Tls?.ClientNames is null;
        return isUsual ? null : new ConnectionPlan(role, IsInitiator: false)
        {
            Name = name,
            Cost = listener.Cost,
            PolicyVhost = listener.PolicyVhost,
            IsMultiTenant = listener.MultiTenant,
            Limits = LimitsOf(listener),
            LoginService = LoginServices.Of(listener.LoginService, nodeId),
            CertificateUser = CertificateUsers.Of(listener.Tls) is { } users ? users.Of : null,
            Failover = listener.FailoverUrls.Count == 0 ? null : [.. listener.FailoverUrls.Select(ServerOf)],
            OpenProperties = listener.OpenProperties,
        };
    }

    // Where another program logs clients in nobody goes around it, unless the operator says so.
    private static ConnectionLimits? LimitsOf(ListenerConfig listener)
    {
        ConnectionLimits? limits = listener.Connections?.ToLimits();
        return listener.LoginService is null || limits?.RequiresLogin is not null
            ? limits
            : (limits ?? new ConnectionLimits()) with { RequiresLogin = true };
    }

    private static FailoverServer ServerOf(string url) => DialPlace.TryParse(url, out DialPlace? place)
        ? new FailoverServer(place.Host, place.Address.Port, place.NameOfScheme, Hostname: null)
        : throw new ConfigException($"failoverUrls: '{url}' is not {DialPlace.Shape}");

    /// <summary>Reads a network, or a single address.</summary>
    public static bool TryNetwork(string text, out IPNetwork network)
    {
        if (!text.Contains('/') && IPAddress.TryParse(text, out IPAddress? address))
        {
            network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
            return true;
        }

        return IPNetwork.TryParse(text, out network);
    }

    private static IPNetwork NetworkOf(string text) => TryNetwork(text, out IPNetwork network)
        ? network
        : throw new ConfigException($"'{text}' is no address and no network");

    /// <summary>Every protocol on one port, and each on its usual port; all on this machine only.</summary>
    private static Dictionary<string, ListenerConfig> DefaultListeners()
    {
        (ListenerProtocol Protocol, int? Port)[] usual =
        [
            (ListenerProtocol.All, NodeProtocols.UsualPortOfAll),
            .. NodeProtocols.Table.Select(row => (row.Protocol, row.UsualPort)),
            (ListenerProtocol.Http, NodeProtocols.UsualPortOfHttp),
        ];
        return usual.Where(u => u.Port is not null).ToDictionary(
            u => NodeProtocols.NameOf(u.Protocol),
            u => new ListenerConfig { Protocol = u.Protocol, Addresses = [$"127.0.0.1:{u.Port}"] });
    }

    /// <summary>What to bind; looks up a host name.</summary>
    public EndPoint EndPoint()
    {
        if (Address.UnixPath is { } path)
        {
            return new UnixDomainSocketEndPoint(path);
        }

        if (Address.Address is { } known)
        {
            return new IPEndPoint(known, Address.Port);
        }

        try
        {
            IPAddress[] found = Dns.GetHostAddresses(Address.Host!);
            return new IPEndPoint(found.First(), Address.Port);
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            throw new StartException(
                $"listener {Name}: the host '{Address.Host}' is not known; write an address of this machine", e);
        }
    }

    /// <summary>The address with the port that was really taken.</summary>
    public NodeEndpoint ToEndpoint() => new(
        Name, Protocol, Tls is not null, Bound?.IPEndPoint is { } ip ? ip.ToString() : Address.ToString())
    {
        Role = Role,
    };
}
