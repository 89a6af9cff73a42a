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
    [InlineData("oun", "Example;Messaging;router-b")]
    [InlineData("cn", "SE;router-b")]
    [InlineData("ns", "router-b")]
    [InlineData("sn", "router-b")]
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

    // Without escapes the first of each could be called as another.
    [Theory]
    [InlineData("CN=\"ann,O=Example\"", "CN=ann\\,O=Example", "CN=ann, O=Example")]
    [InlineData("CN=\"a+OU=b\"", "CN=a\\+OU=b", "CN=a, OU=b")]
    [InlineData("CN=\" x\"", "CN=\\ x", "CN=x")]
    public void What_stands_in_a_part_is_never_taken_for_another(string subject, string text, string other)
    {
        using X509Certificate2 certificate = Make(subject);
        using X509Certificate2 meant = Make(other);
        string name = Of("").Of(certificate)!.Name;
        Assert.Equal(text, name);
        Assert.NotEqual(Of("").Of(meant)!.Name, name);
    }

    [Fact]
    public void Parts_of_one_set_and_those_without_a_name_are_in_the_whole_subject()
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.Add("1.3.6.1.4.1.99999.1", "x");
        builder.AddOrganizationName("Zo\u00eb");
        using X509Certificate2 certificate = Make(builder.Build());
        Assert.Equal("1.3.6.1.4.1.99999.1=#0C0178,O=Zo\\C3\\AB", Of("").Of(certificate)!.Name);
        using X509Certificate2 set = Make(new X500DistinguishedName(Convert.FromHexString(
            "301A3118300A06035504030C03616E6E300A060355040B0C036F7073")));
        Assert.Equal("CN=ann+OU=ops", Of("").Of(set)!.Name);
        Assert.Equal("ops;ann", Of("un").Of(set)!.Name);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("n;2", true)]
    [InlineData("nc", true)]
    [InlineData("ouslcn2", true)]
    [InlineData("nn", false)]
    [InlineData("n;;c", false)]
    [InlineData(";n", false)]
    [InlineData("x", false)]
    public void A_format_is_letters(string format, bool isOne) =>
        Assert.Equal(isOne, CertificateUsers.IsFormat(format));

    private static CertificateUsers Of(string format) =>
        CertificateUsers.Of(With(new ClientNamesConfig { Format = format, Roles = ["peers"] }))!;

    private static TlsConfig With(ClientNamesConfig names) => new() { ClientNames = names };

    private static X509Certificate2 Make(string subject) => Make(new X500DistinguishedName(subject));

    private static X509Certificate2 Make(X500DistinguishedName subject)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
