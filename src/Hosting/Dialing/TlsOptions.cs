using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;

namespace Pillarbox.Hosting.Dialing;

/// <summary>Configuration to TLS of a connection that the node makes, and what was wrong with the other end's
/// certificate.</summary>
internal sealed class TlsOptions
{
    private readonly ConnectorTlsConfig _tls;
    private readonly string _host;

    /// <summary>Reads the files anew: certificates may have been renewed. Throws <see cref="StartException"/>.</summary>
    public TlsOptions(string host, ConnectorTlsConfig tls)
    {
        (_host, _tls) = (host, tls);
        Client = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = Accepts,
        };
        if (tls.Authorities is { } file)
        {
            Client.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            Client.CertificateChainPolicy.CustomTrustStore.AddRange(CertificateLoader.LoadAuthorities(file));
        }

        if (tls.Certificate is { } certificate)
        {
            (X509Certificate2 own, X509Certificate2Collection chain) = CertificateLoader.Load(new TlsConfig
            {
                Certificate = certificate,
                Key = tls.Key,
                PasswordFile = tls.PasswordFile,
                Password = tls.Password,
            });
            Client.ClientCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true);
        }
    }

    /// <summary>For the handshake.</summary>
    public SslClientAuthenticationOptions Client { get; }

    /// <summary>What is wrong with the other end's certificate; null: nothing, as far as it was looked at.</summary>
    public string? Fault { get; private set; }

    /// <summary>A failed handshake as an error for people.</summary>
    public IOException Explain(Exception error) =>
        new($"TLS with {_host}: {Fault ?? error.Message.ReplaceLineEndings(" ")}", error);

    private bool Accepts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors faults)
    {
        SslPolicyErrors counted = _tls.VerifyName ? faults : faults & ~SslPolicyErrors.RemoteCertificateNameMismatch;
        Fault = counted switch
        {
            SslPolicyErrors.None => null,
            _ when counted.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => "it shows no certificate",
            _ when counted.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) =>
                $"its certificate ({certificate?.Subject}) does not come from {Authorities}: {StatusOf(chain)}",
            _ => $"its certificate ({certificate?.Subject}) is not for '{_host}'",
        };
        return Fault is null;
    }

    private string Authorities =>
        _tls.Authorities is { } file ? $"the authorities in {file}" : "an authority that this machine trusts";

    private static string StatusOf(X509Chain? chain) => chain is null
        ? "no chain"
        : string.Join(", ", chain.ChainStatus.Select(status => status.Status.ToString()).Distinct());
}
