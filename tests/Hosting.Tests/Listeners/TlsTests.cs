using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

public sealed class TlsTests : IDisposable
{
    private readonly Certificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Theory]
    [InlineData("one-file")]
    [InlineData("two-files")]
    [InlineData("pfx")]
    public async Task The_certificate_comes_from_pem_or_pfx(string shape)
    {
        TlsConfig tls = shape switch
        {
            "one-file" => OneFile(),
            "two-files" => new TlsConfig
            {
                Certificate = _certificates.WritePem("server.pem", _certificates.Server, key: false),
                Key = _certificates.WriteKey("server.key", _certificates.Server),
            },
            _ => new TlsConfig
            {
                Certificate = _certificates.WritePfx("server.pfx", _certificates.Server, "secret"),
                PasswordFile = _certificates.WriteText("password", "secret\n"),
            },
        };
        await using NodeServer server = await StartAsync(tls);
        Assert.Equal("amqps", server.Endpoints[0].ProtocolText);
        Assert.Equal("nobody:", (await TalkAsync(server.Endpoints[0], null))[..7]);
    }

    [Fact]
    public async Task A_client_certificate_of_the_named_authority_is_taken_and_its_owner_known()
    {
        await using NodeServer server = await StartAsync(Mutual(ClientCertificateMode.Require));
        Assert.Equal("CN=alice:", (await TalkAsync(server.Endpoints[0], _certificates.Client))[..9]);
    }

    [Fact]
    public async Task Without_a_certificate_there_is_no_connection_when_one_is_required()
    {
        await using NodeServer server = await StartAsync(Mutual(ClientCertificateMode.Require));
        await Assert.ThrowsAnyAsync<Exception>(() => TalkAsync(server.Endpoints[0], null));
        using X509Certificate2 stranger = Certificates.MakeStranger();
        await Assert.ThrowsAnyAsync<Exception>(() => TalkAsync(server.Endpoints[0], stranger));
    }

    [Fact]
    public async Task Without_a_certificate_a_client_is_nobody_when_one_is_only_allowed()
    {
        await using NodeServer server = await StartAsync(Mutual(ClientCertificateMode.Allow));
        Assert.Equal("nobody:", (await TalkAsync(server.Endpoints[0], null))[..7]);
        Assert.Equal("CN=alice:", (await TalkAsync(server.Endpoints[0], _certificates.Client))[..9]);
    }

    [Fact]
    public async Task A_client_that_offers_protocols_by_alpn_is_served()
    {
        await using NodeServer server = await StartAsync(OneFile());
        Assert.Equal("nobody:", (await TalkAsync(server.Endpoints[0], null, new SslApplicationProtocol("amqp")))[..7]);
    }

    [Fact]
    public async Task What_was_agreed_on_and_the_name_that_was_asked_for_are_known()
    {
        await using NodeServer server = await StartAsync(OneFile());
        foreach ((SslProtocols version, string name) in
            ((SslProtocols, string)[])[(SslProtocols.Tls12, "TLSv1.2"), (SslProtocols.Tls13, "TLSv1.3")])
        {
            string answer = await TalkAsync(
                server.Endpoints[0], null, protocols: version, says: Servers.AskForTls);
            Assert.Matches($"^{name} localhost TLS_[A-Z0-9_]+ (128|256)$", answer);
        }
    }

    [Fact]
    public async Task Tls_1_1_is_refused()
    {
        await using NodeServer server = await StartAsync(OneFile());
#pragma warning disable CA5397, CS0618, SYSLIB0039 // that it is obsolete is the point
        NodeEndpoint endpoint = server.Endpoints[0];
        await Assert.ThrowsAnyAsync<Exception>(() => TalkAsync(endpoint, null, protocols: SslProtocols.Tls11));
#pragma warning restore CA5397, CS0618, SYSLIB0039
    }

    [Theory]
    [InlineData("missing", "there is no such file")]
    [InlineData("garbage", "")]
    [InlineData("no-key", "")]
    [InlineData("wrong-password", "")]
    public async Task A_broken_certificate_is_named_in_one_line(string what, string reason)
    {
        string file = what switch
        {
            "missing" => Path.Combine(_certificates.Directory, "missing.pem"),
            "garbage" => _certificates.WriteText("garbage.pem", "not a certificate"),
            "no-key" => _certificates.WritePem("no-key.pem", _certificates.Server, key: false),
            _ => _certificates.WritePfx("wrong.pfx", _certificates.Server, "secret"),
        };
        var tls = new TlsConfig { Certificate = file };
        var error = await Servers.RefusedAsync(("amqp", Servers.On("127.0.0.1:0", tls)));
        Assert.StartsWith($"cannot use the certificate {file}: {reason}", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static Task<NodeServer> StartAsync(TlsConfig tls) =>
        Servers.StartAsync(("amqp", Servers.On("127.0.0.1:0", tls)));

    private TlsConfig OneFile() =>
        new() { Certificate = _certificates.WritePem("all.pem", _certificates.Server, key: true) };

    private TlsConfig Mutual(ClientCertificateMode mode) => new()
    {
        Certificate = _certificates.WritePem("all.pem", _certificates.Server, key: true),
        ClientCertificates = mode,
        ClientAuthorities = _certificates.WritePem("ca.pem", _certificates.Authority, key: false),
    };

    private async Task<string> TalkAsync(
        NodeEndpoint endpoint, X509Certificate2? client, SslApplicationProtocol? alpn = null,
        SslProtocols protocols = SslProtocols.None, string says = "x")
    {
        using TcpClient tcp = await Servers.ConnectAsync(endpoint);
        await using var tls = new SslStream(tcp.GetStream());
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocols,
            ClientCertificates = client is null ? null : [client],
            ApplicationProtocols = alpn is null ? null : [alpn.Value],
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            },
        };
        options.CertificateChainPolicy.CustomTrustStore.Add(_certificates.Authority);
        await tls.AuthenticateAsClientAsync(options);
        return await Servers.EchoAsync(tls, says);
    }
}
