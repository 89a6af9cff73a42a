using System.CommandLine;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Server.Cli;

/// <summary>The flags that say how the connections of <c>--connect</c> are made; they count for all of them.</summary>
internal sealed class ConnectOptions
{
    private const string ProxyPassword = "PILLARBOX_PROXY_PASSWORD";

    private readonly Option<string?> _authorities = new("--connect-authorities")
    {
        Description = "--connect by TLS: a PEM file of the authorities that the other end's certificate must come from.",
    };

    private readonly Option<string?> _certificate = new("--connect-certificate")
    {
        Description = "--connect by TLS: the node's own certificate to show, a PEM or PFX file.",
    };

    private readonly Option<string?> _key = new("--connect-key")
    {
        Description = "--connect by TLS: the PEM file of that certificate's private key.",
    };

    private readonly Option<string?> _proxy = new("--connect-proxy")
    {
        Description = "--connect through an HTTP proxy: http://HOST:PORT.",
    };

    private readonly Option<string?> _proxyUser = new("--connect-proxy-user")
    {
        Description = $"The user at that proxy; the password is in the environment variable {ProxyPassword}.",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_authorities, _certificate, _key, _proxy, _proxyUser])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The connectors of <c>--connect</c>. Throws <see cref="ConfigException"/>.</summary>
    public IReadOnlyDictionary<string, ConnectorConfig> Connectors(string[] connect, ParseResult parsed)
    {
        var connectors = new Dictionary<string, ConnectorConfig>();
        foreach (string text in connect)
        {
            (string name, string places) = ConfigOptions.Pair(text, "--connect ROLE=PLACE");
            if (!ConnectionRoles.TryParse(name, out ConnectionRole role))
            {
                throw new ConfigException($"--connect {text}: '{name}' is no role; write {ConnectionRoles.Text}");
            }

            connectors.Add($"{name}-{connectors.Count + 1}", new ConnectorConfig
            {
                Role = role,
                Addresses = places.Split(','),
                Tls = TlsOf(parsed),
                Proxy = ProxyOf(parsed),
            });
        }

        return connectors;
    }

    private ConnectorTlsConfig? TlsOf(ParseResult parsed)
    {
        var tls = new ConnectorTlsConfig
        {
            Authorities = parsed.GetValue(_authorities),
            Certificate = parsed.GetValue(_certificate),
            Key = parsed.GetValue(_key),
        };
        return tls.Authorities is null && tls.Certificate is null && tls.Key is null ? null : tls;
    }

    private ConnectorProxyConfig? ProxyOf(ParseResult parsed) => parsed.GetValue(_proxy) is not { } url ? null
        : new ConnectorProxyConfig
        {
            Url = url,
            User = parsed.GetValue(_proxyUser),
            PasswordVariable = parsed.GetValue(_proxyUser) is null ? null : ProxyPassword,
        };
}
