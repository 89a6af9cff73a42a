using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Security;

public sealed class SaslTests : IDisposable
{
    private static readonly SaslContext Open = new() { AllowAnonymous = true, AllowPlain = true };
    private readonly UserStore _users;
    private readonly SaslServers _servers;

    public SaslTests()
    {
        _users = UserStore.Open(new UserStoreOptions
        {
            FileSystem = new MemoryFileSystem(),
            Path = "data/users.json",
            Random = new SeededRandom(1),
            PlainIterations = 2,
            ScramIterations = ScramHash.IterationsMin,
        });
        _users.Add("ann", new Secret("p\u00E4ss"), ["clerks"]);
        _users.Add("a=b,c", new Secret("pw"), []);
        _servers = new SaslServers(_users, new SeededRandom(2));
    }

    public void Dispose() => _users.Dispose();

    [Fact]
    public void What_is_offered_follows_the_listener()
    {
        Assert.Equal(["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "ANONYMOUS"], _servers.Offer(Open));
        Assert.Equal(["SCRAM-SHA-512", "SCRAM-SHA-256"], _servers.Offer(new SaslContext()));
        using X509Certificate2 certificate = Certificate("CN=x");
        Assert.Contains("EXTERNAL", _servers.Offer(new SaslContext { ClientCertificate = certificate }));
        var nobody = new SaslServers(null, new SeededRandom(1));
        var development = new SaslContext { AllowAnonymous = true, AnyPassword = true };
        Assert.Equal(["PLAIN", "ANONYMOUS"], nobody.Offer(development));
        Assert.Empty(nobody.Offer(new SaslContext { AllowPlain = true }));
        Assert.Null(_servers.Create("PLAIN", new SaslContext()));
        Assert.Null(_servers.Create("GSSAPI", Open));
    }

    [Fact]
    public void Anonymous_is_nobody()
    {
        SaslStep step = _servers.Create("ANONYMOUS", Open)!.Step("trace"u8);
        Assert.Equal((SaslStatus.Succeeded, Identity.Anonymous), (step.Status, step.Identity));
    }

    [Theory]
    [InlineData("\0ann\0p\u00E4ss", true)]
    [InlineData("ann\0ann\0p\u00E4ss", true)]
    [InlineData("\0ann\0pass", false)]
    [InlineData("\0bob\0p\u00E4ss", false)]
    [InlineData("root\0ann\0p\u00E4ss", false)]
    [InlineData("\0ann", false)]
    [InlineData("ann", false)]
    [InlineData("\0\0p\u00E4ss", false)]
    [InlineData("\0ann\0", false)]
    [InlineData("\0ann\0p\u00E4ss\0", false)]
    public async Task Plain_takes_the_right_password_only(string response, bool right)
    {
        using ISaslServer server = _servers.Create("PLAIN", Open)!;
        SaslStep step = server.Step(Encoding.UTF8.GetBytes(response));
        if (step.Status == SaslStatus.Verify)
        {
            step = await server.VerifyAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(right ? SaslStatus.Succeeded : SaslStatus.Failed, step.Status);
        Assert.Equal(right ? "ann" : null, step.Identity?.Name);
        Assert.DoesNotContain("p\u00E4ss", step.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Plain_without_users_takes_any_password_and_gives_no_roles()
    {
        var servers = new SaslServers(null, new SeededRandom(1));
        using ISaslServer server = servers.Create("PLAIN", new SaslContext { AnyPassword = true })!;
        Assert.Equal(SaslStatus.Challenge, server.Step([]).Status);
        SaslStep step = server.Step("\0guest\0guest"u8);
        Assert.Equal((SaslStatus.Succeeded, "guest"), (step.Status, step.Identity?.Name));
        Assert.Empty(step.Identity!.Roles);
    }

    [Fact]
    public void External_is_the_user_of_the_certificate()
    {
        using X509Certificate2 known = Certificate("CN=ann-laptop");
        using X509Certificate2 unknown = Certificate("CN=somebody");
        _users.Add("laptop", null, ["r"], ["cn:ann-laptop"]);
        Assert.Equal("laptop", External(known, "")?.Name);
        Assert.Equal("laptop", External(known, "laptop")?.Name);
        Assert.Null(External(known, "ann"));
        Assert.Null(External(unknown, ""));
        Identity? External(X509Certificate2 certificate, string actFor)
        {
            var context = new SaslContext { ClientCertificate = certificate };
            return _servers.Create("EXTERNAL", context)!.Step(Encoding.UTF8.GetBytes(actFor)).Identity;
        }
    }

    [Theory]
    [InlineData("EXTERNAL,SCRAM-SHA-256,PLAIN", "SCRAM-SHA-256")]
    [InlineData("PLAIN,SCRAM-SHA-256,SCRAM-SHA-512", "SCRAM-SHA-512")]
    [InlineData("PLAIN,ANONYMOUS", "PLAIN")]
    [InlineData("ANONYMOUS", null)]
    [InlineData("GSSAPI", null)]
    public void The_client_takes_the_strongest_and_never_falls_back_to_nobody(string offered, string? chosen)
    {
        var credentials = new SaslCredentials { User = "ann", Password = new Secret("x") };
        Assert.Equal(chosen, SaslClients.Choose(offered.Split(','), credentials, new SeededRandom(1))?.Mechanism);
    }

    [Fact]
    public void The_client_without_user_is_nobody_and_with_certificate_external()
    {
        string[] offered = ["EXTERNAL", "SCRAM-SHA-256", "PLAIN", "ANONYMOUS"];
        Assert.Equal("ANONYMOUS", Choose(new SaslCredentials()));
        Assert.Equal("EXTERNAL", Choose(new SaslCredentials { HasCertificate = true }));
        var named = new SaslCredentials { User = "a", Password = new Secret("x"), Mechanism = "PLAIN" };
        Assert.Equal("PLAIN", Choose(named));
        string? Choose(SaslCredentials credentials) =>
            SaslClients.Choose(offered, credentials, new SeededRandom(1))?.Mechanism;
    }

    [Theory]
    [InlineData("PLAIN", "ann", "p\u00E4ss", true)]
    [InlineData("PLAIN", "ann", "wrong", false)]
    [InlineData("SCRAM-SHA-256", "ann", "p\u00E4ss", true)]
    [InlineData("SCRAM-SHA-256", "ann", "wrong", false)]
    [InlineData("SCRAM-SHA-256", "nobody", "p\u00E4ss", false)]
    [InlineData("SCRAM-SHA-512", "ann", "p\u00E4ss", true)]
    [InlineData("SCRAM-SHA-512", "a=b,c", "pw", true)]
    [InlineData("SCRAM-SHA-512", "ann", "", false)]
    public async Task Our_client_and_server_agree(string mechanism, string user, string password, bool right)
    {
        var credentials = new SaslCredentials { User = user, Password = new Secret(password), Mechanism = mechanism };
        ISaslClient client = SaslClients.Choose([mechanism], credentials, new SeededRandom(3))!;
        using ISaslServer server = _servers.Create(mechanism, Open)!;
        SaslStep step = server.Step(client.Start());
        while (step.Status is SaslStatus.Challenge or SaslStatus.Verify)
        {
            step = step.Status == SaslStatus.Verify
                ? await server.VerifyAsync(TestContext.Current.CancellationToken)
                : server.Step(client.Step(step.Data.Span));
        }

        Assert.Equal(right ? SaslStatus.Succeeded : SaslStatus.Failed, step.Status);
        Assert.Equal(right ? user : null, step.Identity?.Name);
        if (right)
        {
            client.Finish(step.Data.Span);
        }
    }

    [Fact]
    public void Random_and_mutated_responses_fail_and_never_throw()
    {
        SeededRandom random = Seeds.New(out string seed);
        string[] mechanisms = ["PLAIN", "ANONYMOUS", "SCRAM-SHA-256", "SCRAM-SHA-512"];
        string[] texts = ["\0ann\0x", "n,,n=ann,r=abcdef", "c=biws,r=abcdef,p=AAAA"];
        byte[][] seeds = [.. texts.Select(Encoding.UTF8.GetBytes)];
        for (int round = 0; round < 20_000; round++)
        {
            using ISaslServer server = _servers.Create(mechanisms[random.Next(4)], Open)!;
            for (int steps = 0; steps < 3; steps++)
            {
                byte[] response = [.. seeds[random.Next(seeds.Length)]];
                for (int i = random.Next(4); i > 0; i--)
                {
                    response[random.Next(response.Length)] = (byte)random.Next(256);
                }

                SaslStep step = server.Step(response);
                bool success = step.Status == SaslStatus.Succeeded && server.Mechanism != "ANONYMOUS";
                Assert.False(success, $"{Encoding.UTF8.GetString(response)} {seed}");
                if (step.Status != SaslStatus.Challenge)
                {
                    break;
                }
            }
        }
    }

    private static X509Certificate2 Certificate(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
    }
}
