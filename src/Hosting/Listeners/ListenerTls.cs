using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Pillarbox.Hosting.Configuration;
using KestrelMode = Microsoft.AspNetCore.Server.Kestrel.Https.ClientCertificateMode;
using Mode = Pillarbox.Hosting.Configuration.ClientCertificateMode;

namespace Pillarbox.Hosting.Listeners;

/// <summary>Puts TLS 1.2 or newer on a listener.</summary>
internal static class ListenerTls
{
    /// <summary>
    /// Puts it on; <paramref name="alpn"/>: the protocols that clients may ask for; null: what the listener speaks.
    /// </summary>
    public static void Use(
        ListenOptions listen, TlsConfig tls, TimeSpan handshakeTimeout, List<SslApplicationProtocol>? alpn)
    {
        (X509Certificate2 certificate, X509Certificate2Collection chain) = CertificateLoader.Load(tls);
        var options = new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificate,
            ServerCertificateChain = chain,
            SslProtocols = VersionsOf(tls),
            HandshakeTimeout = handshakeTimeout,
            ClientCertificateMode = tls.ClientCertificates switch
            {
                Mode.Allow => KestrelMode.AllowCertificate,
                Mode.Require => KestrelMode.RequireCertificate,
                _ => KestrelMode.NoCertificate,
            },
        };
        if (tls.ClientAuthorities is not null)
        {
            X509Certificate2Collection authorities = CertificateLoader.LoadAuthorities(tls.ClientAuthorities);
            options.ClientCertificateValidation = (client, sent, _) => IsTrusted(client, sent, authorities);
        }

        if (alpn is not null)
        {
            options.OnAuthenticate = (_, authentication) => authentication.ApplicationProtocols = alpn;
        }

        listen.UseHttps(options);
    }

    private static SslProtocols VersionsOf(TlsConfig tls) =>
        (tls.OldestVersion == "1.3" ? 0 : SslProtocols.Tls12) | (tls.NewestVersion == "1.2" ? 0 : SslProtocols.Tls13);

    /// <summary>The system's verdict does not matter here: only the authorities that the operator named do.</summary>
    private static bool IsTrusted(X509Certificate2 client, X509Chain? sent, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.2"));
        foreach (X509ChainElement element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return chain.Build(client);
    }
}
