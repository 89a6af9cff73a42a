using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Model;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>Whom certificates name by themselves.</summary>
public sealed class CertificateUsersTests
{
    private const string Subject = "CN=router-b, OU=Messaging, O=Example, C=SE";

    [Theory]
    [InlineData("", "CN=router-b,OU=Messaging,O=Example,C=SE")]
    [InlineData("n", "router-b")]
    [InlineData("o;u;n", "Example;Messaging;router-b")]
    [InlineData("n;s", "router-b;")]
    public void A_format_takes_parts_of_the_subject(string format, string name)
    {
        using X509Certificate2 certificate = Make(Subject);
        Identity user = Of(format).Of(certificate)!;
        Assert.Equal((name, false), (user.Name, user.IsAnonymous));
        Assert.Equal(["peers"], user.Roles);
    }

    [Fact]
    public void Fingerprints_are_of_the_certificate()
    {
        using X509Certificate2 certificate = Make(Subject);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), Of("2").Of(certificate)!.Name);
        Assert.Equal(Convert.ToHexStringLower(SHA512.HashData(certificate.RawData)), Of("5").Of(certificate)!.Name);
    }

    [Fact]
    public void Names_of_a_file_take_their_place()
    {
        using var certificates = new Certificates();
        string file = certificates.WriteText("names.json", """{ "alice": "Alice of the shop" }""");
        CertificateUsers users = CertificateUsers.Of(With(new ClientNamesConfig { Format = "n", NamesFile = file }))!;
        Assert.Equal("Alice of the shop", users.Of(certificates.Client)!.Name);
        Assert.Equal("localhost", users.Of(certificates.Server)!.Name);
    }

    [Fact]
    public void Who_has_none_of_the_parts_is_nobody()
    {
        using X509Certificate2 certificate = Make("CN=router-b");
        Assert.Null(Of("o;u").Of(certificate));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("n;2", true)]
    [InlineData("nc", false)]
    [InlineData("n;;c", false)]
    [InlineData("x", false)]
    public void A_format_is_letters(string format, bool isOne) =>
        Assert.Equal(isOne, CertificateUsers.IsFormat(format));

    private static CertificateUsers Of(string format) =>
        CertificateUsers.Of(With(new ClientNamesConfig { Format = format, Roles = ["peers"] }))!;

    private static TlsConfig With(ClientNamesConfig names) => new() { ClientNames = names };

    private static X509Certificate2 Make(string subject)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
