using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// Reads a listener's certificates. Every error is a <see cref="StartException"/> that says which file and why.
/// </summary>
internal static class CertificateLoader
{
    private const int FileBytesMax = 1 << 20;

    /// <summary>The certificate with its private key, and the chain to show with it.</summary>
    public static (X509Certificate2 Certificate, X509Certificate2Collection Chain) Load(TlsConfig tls)
    {
        try
        {
            string? password = tls.PasswordFile is null ? null : ReadPassword(tls.PasswordFile);
            return IsPfx(tls.Certificate) ? LoadPfx(tls.Certificate, password) : LoadPem(tls, password);
        }
        catch (Exception e) when (IsUnusable(e))
        {
            throw new StartException($"cannot use the certificate {tls.Certificate}: {ConfigFiles.Explain(e)}", e);
        }
    }

    /// <summary>The authorities that client certificates must come from.</summary>
    public static X509Certificate2Collection LoadAuthorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(ConfigFiles.ReadText(file, FileBytesMax));
        }
        catch (Exception e) when (IsUnusable(e))
        {
            throw new StartException($"cannot use the client authorities {file}: {ConfigFiles.Explain(e)}", e);
        }

        return authorities.Count > 0
            ? authorities
            : throw new StartException($"cannot use the client authorities {file}: there is no PEM certificate in it");
    }

    private static bool IsPfx(string file) =>
        file.EndsWith(".pfx", StringComparison.OrdinalIgnoreCase)
        || file.EndsWith(".p12", StringComparison.OrdinalIgnoreCase);

    private static bool IsUnusable(Exception e) =>
        e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException;

    internal static string ReadPassword(string file)
    {
        string text = ConfigFiles.ReadText(file, FileBytesMax);
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end];
    }

    private static (X509Certificate2, X509Certificate2Collection) LoadPfx(string file, string? password)
    {
        X509Certificate2Collection all = X509CertificateLoader.LoadPkcs12CollectionFromFile(file, password);
        X509Certificate2 own = all.FirstOrDefault(c => c.HasPrivateKey)
            ?? throw new CryptographicException("there is no private key in it");
        all.Remove(own);
        return (own, all);
    }

    private static (X509Certificate2, X509Certificate2Collection) LoadPem(TlsConfig tls, string? password)
    {
        string certificates = ConfigFiles.ReadText(tls.Certificate, FileBytesMax);
        string key = tls.Key is null ? certificates : ConfigFiles.ReadText(tls.Key, FileBytesMax);
        X509Certificate2 own = password is null
            ? X509Certificate2.CreateFromPem(certificates, key)
            : X509Certificate2.CreateFromEncryptedPem(certificates, key, password);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificates);
        chain.RemoveAt(0);
        return (own, chain);
    }
}
