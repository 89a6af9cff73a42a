using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Pillarbox.Transport;

/// <summary>What the two ends of a connection agreed on for TLS. Immutable.</summary>
/// <param name="Protocol">The version, e.g. <c>TLSv1.3</c>.</param>
/// <param name="Cipher">The suite's name, e.g. <c>TLS_AES_256_GCM_SHA384</c>; null: not known.</param>
/// <param name="Bits">The strength of its key in bits; 0: not known.</param>
public sealed record TlsFacts(string Protocol, string? Cipher, int Bits)
{
    /// <summary>Somebody else made the connection, and does not say.</summary>
    public static readonly TlsFacts Unknown = new("TLS", null, 0);

    /// <summary>The host that the client named (SNI, RFC 6066 section 3); null: none, or the node is the
    /// client.</summary>
    public string? ServerName { get; init; }

    /// <summary>Of a handshake that is over.</summary>
    public static TlsFacts Of(SslProtocols version, TlsCipherSuite? suite)
    {
        string? cipher = suite?.ToString();
        return new TlsFacts(
            version switch
            {
                SslProtocols.Tls12 => "TLSv1.2",
                SslProtocols.Tls13 => "TLSv1.3",
                _ => version.ToString(),
            },
            cipher, cipher is null ? 0 : BitsOf(cipher));
    }

    internal static TlsFacts Of(ITlsHandshakeFeature handshake, ISslStreamFeature? stream) =>
        Of(handshake.Protocol, handshake.NegotiatedCipherSuite) with
        {
            ServerName = stream?.SslStream.TargetHostName is { Length: > 0 } named ? named : null,
        };

    private static int BitsOf(string cipher) =>
        cipher.Contains("256", StringComparison.Ordinal) && !cipher.Contains("AES_128", StringComparison.Ordinal)
            || cipher.Contains("CHACHA20", StringComparison.Ordinal) ? 256
        : cipher.Contains("128", StringComparison.Ordinal) ? 128 : 0;
}
