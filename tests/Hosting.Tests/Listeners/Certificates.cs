using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>Certificates made for one test, in a directory that goes with it.</summary>
internal sealed class Certificates : IDisposable
{
    public Certificates()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("pillarbox-tls-").FullName;
        Authority = Make("CN=Test authority", null);
        Server = Make("CN=localhost", Authority);
        Client = Make("CN=alice", Authority);
    }

    public string Directory { get; }

    public X509Certificate2 Authority { get; }

    public X509Certificate2 Server { get; }

    public X509Certificate2 Client { get; }

    public string WritePem(string name, X509Certificate2 certificate, bool key)
    {
        string path = Path.Combine(Directory, name);
        string text = certificate.ExportCertificatePem() + "\n";
        File.WriteAllText(path, key ? text + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() : text);
        return path;
    }

    public string WriteKey(string name, X509Certificate2 certificate)
    {
        string path = Path.Combine(Directory, name);
        File.WriteAllText(path, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return path;
    }

    public string WritePfx(string name, X509Certificate2 certificate, string password)
    {
        string path = Path.Combine(Directory, name);
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pfx, password));
        return path;
    }

    public string WriteText(string name, string text)
    {
        string path = Path.Combine(Directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A certificate of an authority that nobody trusts.</summary>
    public static X509Certificate2 MakeStranger()
    {
        using X509Certificate2 other = Make("CN=Other authority", null);
        return Make("CN=mallory", other);
    }

    public void Dispose()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        Authority.Dispose();
        Server.Dispose();
        Client.Dispose();
    }

    private static X509Certificate2 Make(string subject, X509Certificate2? issuer)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, false, 0, true));
        DateTimeOffset from = DateTimeOffset.UtcNow.AddDays(-1);
        DateTimeOffset to = DateTimeOffset.UtcNow.AddDays(2);
        if (issuer is null)
        {
            return Exportable(request.CreateSelfSigned(from.AddHours(-1), to.AddHours(1)));
        }

        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(subject["CN=".Length..]);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        using X509Certificate2 bare = request.Create(issuer, from, to, serial);
        return Exportable(bare.CopyWithPrivateKey(key));
    }

    private static X509Certificate2 Exportable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
}
