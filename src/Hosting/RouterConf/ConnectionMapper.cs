using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Dialing;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>The entities <c>listener</c>, <c>connector</c> and <c>sslProfile</c> of a <c>qdrouterd.conf</c>, or of a
/// request to the running node. Throws <see cref="ConfigException"/> with what is wrong.</summary>
internal static class ConnectionMapper
{
    private const int AmqpPort = 5672;
    private const int AmqpsPort = 5671;
    private const int SecondsMax = 86_400;

    /// <summary>The role of who has logged in by a certificate of a listener's authorities, or at a login
    /// service.</summary>
    public const string AuthenticatedRole = "authenticated";

    private static readonly (string, ConnectionRole)[] Roles =
    [
        ("normal", ConnectionRole.Normal), ("inter-router", ConnectionRole.InterRouter),
        ("edge", ConnectionRole.Edge), ("route-container", ConnectionRole.RouteContainer),
        ("on-demand", ConnectionRole.RouteContainer),
    ];

    /// <summary>A listener.</summary>
    /// <param name="reader">Its attributes.</param>
    /// <param name="profiles">The TLS profiles by name.</param>
    /// <param name="plugins">The login services by name.</param>
    public static ListenerConfig ListenerOf(
        EntityReader reader, IReadOnlyDictionary<string, EntityReader> profiles,
        IReadOnlyDictionary<string, EntityReader> plugins)
    {
        bool isHttp = reader.Truth("http");
        EntityReader? profile = ProfileOf(reader, profiles);
        if (profile is null && (reader.Truth("requireSsl") || reader.Truth("requireEncryption")))
        {
            throw reader.Fault("demands TLS, and needs an 'sslProfile' for it");
        }

        ConnectionRole role = reader.Choice("role", ConnectionRole.Normal, Roles);
        return new ListenerConfig
        {
            Protocol = isHttp ? ListenerProtocol.Http : ListenerProtocol.Amqp,
            Role = isHttp && role == ConnectionRole.Normal ? null : role,
            Cost = reader.Number("cost", 1, 1, int.MaxValue),
            Addresses = [Place(reader, isListener: true)],
            Tls = profile is null ? null : TlsOf(profile),
            Connections = ConnectionsOf(reader) with
            {
                LoginRequired = reader.Has("authenticatePeer") ? reader.Truth("authenticatePeer")
                    : reader.Has("saslPlugin") ? true : null,
                HandshakeTimeoutMs = Milliseconds(reader, "initialHandshakeTimeoutSeconds", 0) is > 0 and { } ms
                    ? ms : null,
            },
            LoginService = ServiceOf(reader, profiles, plugins),
            PolicyVhost = reader.Text("policyVhost"),
            MultiTenant = reader.Truth("multiTenant"),
            FailoverUrls = [.. UrlsOf(reader).Select(url => PlaceOf(reader, url))],
            OpenProperties = reader.Map("openProperties"),
            WebSockets = reader.Truth("websockets", true),
            Health = reader.Truth("healthz", true),
            Metrics = reader.Truth("metrics", true),
        };
    }

    /// <summary>A connector.</summary>
    /// <param name="reader">Its attributes.</param>
    /// <param name="profiles">The TLS profiles by name.</param>
    public static ConnectorConfig ConnectorOf(EntityReader reader, IReadOnlyDictionary<string, EntityReader> profiles)
    {
        EntityReader? profile = ProfileOf(reader, profiles);
        return new ConnectorConfig
        {
            Role = reader.Choice("role", ConnectionRole.Normal, Roles),
            Cost = reader.Number("cost", 1, 1, int.MaxValue),
            Addresses =
                [Place(reader, isListener: false), .. UrlsOf(reader).Select(url => PlaceOf(reader, url))],
            PolicyVhost = reader.Text("policyVhost"),
            Connections = ConnectionsOf(reader),
            OpenProperties = reader.Map("openProperties"),
            User = reader.Text("saslUsername"),
            Password = reader.Text("saslPassword") is { } password ? ConfSecrets.Read(reader, password) : null,
            Tls = profile is null ? null : ClientTlsOf(profile, reader.Truth("verifyHostname", true)),
        };
    }

    private static ConnectionsConfig ConnectionsOf(EntityReader reader) => new()
    {
        Mechanisms = MechanismsOf(reader),
        FrameBytesMax = Limit(reader, "maxFrameSize", 512),
        SessionsMax = Limit(reader, "maxSessions", 1),
        // As in that router 0 is no bound, and here the node's.
        SessionFramesMax = Limit(reader, "maxSessionFrames", 0) is > 0 and { } frames ? frames : null,
        IdleTimeoutMs = Milliseconds(reader, "idleTimeoutSeconds", 0),
        LinkCapacity = Limit(reader, "linkCapacity", 1),
        ShowsRouterNotes = reader.Choice(
            "stripAnnotations", false, ("both", false), ("in", true), ("out", false), ("no", true)),
    };

    private static int? Limit(EntityReader reader, string attribute, int least) =>
        reader.Has(attribute) ? reader.Number(attribute, least, least, int.MaxValue) : null;

    private static int? Milliseconds(EntityReader reader, string attribute, int least) =>
        reader.Has(attribute) ? reader.Number(attribute, least, least, SecondsMax) * 1000 : null;

    // Words with blanks or commas between.
    private static string[] MechanismsOf(EntityReader reader)
    {
        string[] named = (reader.Text("saslMechanisms") ?? "").Split(
            [' ', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] known = [.. named.Where(ConnectionsConfig.KnownMechanisms.Contains)];
        return named.Length > 0 && known.Length == 0
            ? throw reader.Fault(
                $"of 'saslMechanisms' none is known: {string.Join(", ", ConnectionsConfig.KnownMechanisms)} are")
            : known;
    }

    private static LoginServiceConfig? ServiceOf(
        EntityReader listener, IReadOnlyDictionary<string, EntityReader> profiles,
        IReadOnlyDictionary<string, EntityReader> plugins)
    {
        if (listener.Text("saslPlugin") is not { } name)
        {
            return null;
        }

        EntityReader plugin = plugins.GetValueOrDefault(name)
            ?? throw listener.Fault($"there is no authServicePlugin '{name}'");
        EntityReader? profile = ProfileOf(plugin, profiles, "authSslProfile");
        return new LoginServiceConfig
        {
            Name = name,
            Address = plugin.Text("authService") is { } outdated && !plugin.Has("host") ? outdated
                : Place(plugin, isListener: false),
            Realm = plugin.Text("realm", "saslInitHostname"),
            Tls = profile is null ? null : ClientTlsOf(profile, checksName: true),
            Roles = [AuthenticatedRole],
        };
    }

    private static EntityReader? ProfileOf(
        EntityReader user, IReadOnlyDictionary<string, EntityReader> profiles, string? outdatedName = null) =>
        user.Text("sslProfile", outdatedName) is not { } name ? null
            : profiles.GetValueOrDefault(name) ?? throw user.Fault($"there is no sslProfile '{name}'");

    private static string[] UrlsOf(EntityReader reader) => (reader.Text("failoverUrls") ?? "").Split(
        ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string PlaceOf(EntityReader reader, string url)
    {
        string whole = url.Contains("://", StringComparison.Ordinal) ? url : $"amqp://{url}";
        return DialPlace.TryParse(whole, out DialPlace? place) ? place.ToString()
            : throw reader.Fault($"'failoverUrls' must be amqp://host:port, separated by commas, not '{url}'");
    }

    private static TlsConfig TlsOf(EntityReader profile)
    {
        string? authorities = profile.Text("caCertFile");
        return new TlsConfig
        {
            Profile = profile.Text("name"),
            Certificate = profile.Require("certFile"),
            Key = profile.Text("privateKeyFile"),
            PasswordFile = profile.Text("passwordFile"),
            Password = profile.Text("password") is { } password ? ConfSecrets.Read(profile, password) : null,
            ClientAuthorities = authorities,
            ClientCertificates = authorities is null ? ClientCertificateMode.None : ClientCertificateMode.Allow,
            ClientNames = authorities is null ? null : new ClientNamesConfig
            {
                Format = FormatOf(profile),
                NamesFile = profile.Text("uidNameMappingFile", "displayNameFile"),
                Roles = [AuthenticatedRole],
            },
            OldestVersion = VersionsOf(profile)[0],
            NewestVersion = VersionsOf(profile)[^1],
        };
    }

    private static string FormatOf(EntityReader profile)
    {
        string format = (profile.Text("uidFormat") ?? "").Replace(" ", "", StringComparison.Ordinal);
        return CertificateUsers.IsFormat(format) ? format
            : throw profile.Fault(
                $"'uidFormat' must be letters of {CertificateUsers.Letters}, each once, not '{format}'");
    }

    // The versions that both the profile and the node take, the oldest first.
    private static string[] VersionsOf(EntityReader profile)
    {
        string[] named = (profile.Text("protocols") ?? "TLSv1.2 TLSv1.3").Split(
            [' ', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] versions = [.. new[] { "1.2", "1.3" }.Where(version => named.Contains($"TLSv{version}"))];
        return versions.Length > 0 ? versions
            : throw profile.Fault("'protocols' must name TLSv1.2 or TLSv1.3: older ones are not taken");
    }

    private static ConnectorTlsConfig ClientTlsOf(EntityReader profile, bool checksName) => new()
    {
        Profile = profile.Text("name"),
        Authorities = profile.Text("caCertFile"),
        Certificate = profile.Text("certFile"),
        Key = profile.Text("privateKeyFile"),
        PasswordFile = profile.Text("passwordFile"),
        Password = profile.Text("password") is { } password ? ConfSecrets.Read(profile, password) : null,
        VerifyName = checksName,
    };

    /// <summary>The host and port of an entity.</summary>
    public static string Place(EntityReader reader, bool isListener)
    {
        string host = reader.Text("host") ?? (isListener ? "*" : "127.0.0.1");
        int port = reader.Text("port") switch
        {
            null or "amqp" => AmqpPort,
            "amqps" => AmqpsPort,
            _ => reader.Number("port", AmqpPort, isListener ? 0 : 1, 65535),
        };
        string place = host.Contains(':') && !host.StartsWith('[') ? $"[{host}]:{port}" : $"{host}:{port}";
        return ListenAddress.TryParse(place, out _, out string? error) ? place
            : throw reader.Fault($"the host {error}");
    }
}
