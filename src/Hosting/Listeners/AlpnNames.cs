using System.Net.Security;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Listeners;

/// <summary>The names by which TLS clients ask for a protocol (RFC 7301): IANA's where there is one, else ours.
/// </summary>
internal static class AlpnNames
{
    /// <summary>The name of a protocol.</summary>
    public static SslApplicationProtocol Of(ListenerProtocol protocol) => protocol == ListenerProtocol.Http
        ? SslApplicationProtocol.Http11
        : new SslApplicationProtocol(NodeProtocols.NameOf(protocol));

    /// <summary>What a listener for all protocols offers.</summary>
    public static List<SslApplicationProtocol> OfAll(IEnumerable<ListenerProtocol> protocols) =>
        [SslApplicationProtocol.Http11, .. protocols.Select(Of)];
}
