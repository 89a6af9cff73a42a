using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp.Logins;

namespace Pillarbox.Hosting.Dialing;

/// <summary>Configuration to the programs that log clients in.</summary>
internal static class LoginServices
{
    // Connections are made one for each login, and end with it: there is nothing to close with a node.
    private static readonly Lazy<NodeDialer> Dialer = new(
        static () => new NodeDialer(NullLoggerFactory.Instance, TimeProvider.System));

    /// <summary>The service; null: the node itself. Throws <see cref="StartException"/> when its files cannot be
    /// used.</summary>
    public static LoginService? Of(LoginServiceConfig? config, string? nodeId)
    {
        if (config is null)
        {
            return null;
        }

        DialPlace place = DialPlace.TryParse(config.Address, out DialPlace? parsed) ? parsed
            : throw new ConfigException($"a login service's address is '{config.Address}'; write {DialPlace.Shape}");
        var options = new DialOptions(config.Tls, null);
        if (options.TlsTo(place) is { } tls)
        {
            _ = new TlsOptions(place.Host, tls);
        }

        return new LoginService(place.ToString(), async cancellation =>
        {
            try
            {
                return await Dialer.Value.DialAsync(place, options, cancellation);
            }
            catch (Exception e) when (e is StartException or SocketException)
            {
                throw new IOException(e.Message, e);
            }
        })
        {
            Hostname = place.Host,
            Realm = config.Realm,
            ContainerId = nodeId ?? "pillarbox",
            Roles = config.Roles,
        };
    }
}
