using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Security;

/// <summary>RFC 5802 and RFC 7677, with the published exchanges and each way to go wrong.</summary>
public sealed class ScramTests
{
    // RFC 7677 section 3.
    private static readonly Exchange Sha256 = new(
        ScramHash.Sha256,
        ClientNonce: "rOprNGfwEbeRWgbNEkqO",
        ServerNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        Salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        Proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        Signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

    // draft-melnikov-scram-sha-512.
    private static readonly Exchange Sha512 = new(
        ScramHash.Sha512,
        ClientNonce: "rOprNGfwEbeRWgbNEkqO",
        ServerNonce: "02431b08-2f89-4bad-a4e6-80c0564ec865",
        Salt: "Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=",
        Proof: "Hc5yec3NmCD7t+kFRw4/3yD6/F3SQHc7AVYschRja+Bc3sbdjlA0eH1OjJc0DD4ghn1tnXN5/Wr6qm9xmaHt4A==",
        Signature: "BQuhnKHqYDwQWS5jAw4sZed+C9KFUALsbrq81bB0mh+bcUUbbMPNNmBIupnS2AmyyDnG5CTBQtkjJ9kyY4kzmw==");

    [Fact]
    public void The_published_exchange_of_sha_256_holds_on_both_sides() => Replay(Sha256);

    [Fact]
    public void The_published_exchange_of_sha_512_holds_on_both_sides() => Replay(Sha512);

    [Theory]
    [InlineData("p=tls-unique,,n=user,r=abc")]
    [InlineData("x,,n=user,r=abc")]
    [InlineData("n,a=root,n=user,r=abc")]
    [InlineData("n,b=x,n=user,r=abc")]
    [InlineData("n,,m=ext,n=user,r=abc")]
    [InlineData("n,,n=user")]
    [InlineData("n,,n=,r=abc")]
    [InlineData("n,,n=us=er,r=abc")]
    [InlineData("n,,n=user,r=")]
    [InlineData("n,,n=user,r=a\u0007b")]
    [InlineData("n,")]
    [InlineData("n,,")]
    public void A_wrong_first_message_fails(string message)
    {
        using UserStore users = Sha256.Users();
        Assert.Equal(SaslStatus.Failed, Server(users, Sha256).Step(Encoding.UTF8.GetBytes(message)).Status);
    }

    [Theory]
    [InlineData("n,a=user,n=user,r=abc")]
    [InlineData("y,,n=user,r=abc")]
    [InlineData("n,,n=user,r=abc,x=extension")]
    public void A_right_first_message_gets_the_salt(string message)
    {
        using UserStore users = Sha256.Users();
        SaslStep step = Server(users, Sha256).Step(Encoding.UTF8.GetBytes(message));
        Assert.Equal(SaslStatus.Challenge, step.Status);
        string text = Encoding.UTF8.GetString(step.Data.Span);
        Assert.Equal("r=abc" + Sha256.ServerNonce + ",s=" + Sha256.Salt + ",i=4096", text);
    }

    [Theory]
    [InlineData("c=biws,", "c=eSws,")]
    [InlineData("r=rOpr", "r=xOpr")]
    [InlineData("k0,p=", "k1,p=")]
    [InlineData("p=dHz", "p=dHy")]
    [InlineData("p=dHz", "p=")]
    [InlineData(",p=", ",q=")]
    [InlineData("c=biws,r=", "r=")]
    [InlineData("hNlF$k0,p=", "hNlF$k0,x=extension,p=")]
    public void A_wrong_final_message_fails(string part, string wrong)
    {
        using UserStore users = Sha256.Users();
        ScramServer server = Server(users, Sha256);
        server.Step(Encoding.UTF8.GetBytes(Sha256.ClientFirst));
        Assert.Contains(part, Sha256.ClientFinal, StringComparison.Ordinal);
        string message = Sha256.ClientFinal.Replace(part, wrong, StringComparison.Ordinal);
        Assert.Equal(SaslStatus.Failed, server.Step(Encoding.UTF8.GetBytes(message)).Status);

        // The exchange is over: the right message comes too late.
        Assert.Equal(SaslStatus.Failed, server.Step(Encoding.UTF8.GetBytes(Sha256.ClientFinal)).Status);
    }

    [Fact]
    public void An_unknown_user_looks_like_a_known_one_with_a_steady_salt()
    {
        using UserStore users = Sha256.Users();
        string first = Ask("ghost");
        Assert.Equal(first, Ask("ghost"));
        Assert.NotEqual(first, Ask("ghost2"));
        Assert.Equal(Ask("user").Length, first.Length);
        Assert.Equal(24, Convert.FromBase64String(first).Length + 8);
        string Ask(string user)
        {
            SaslStep step = Server(users, Sha256).Step(Encoding.UTF8.GetBytes($"n,,n={user},r=abc"));
            string text = Encoding.UTF8.GetString(step.Data.Span);
            return text.Split(",s=")[1].Split(',')[0];
        }
    }

    [Fact]
    public void Two_exchanges_never_share_a_nonce()
    {
        using UserStore users = Sha256.Users();
        var servers = new SaslServers(users, SystemRandom.Instance);
        var seen = new HashSet<string>();
        for (int i = 0; i < 100; i++)
        {
            using ISaslServer server = servers.Create("SCRAM-SHA-256", new SaslContext())!;
            Assert.True(seen.Add(Encoding.UTF8.GetString(server.Step("n,,n=user,r=abc"u8).Data.Span)));
        }
    }

    [Theory]
    [InlineData("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce")]
    [InlineData("r=NONCE,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce")]
    [InlineData("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", "iteration")]
    [InlineData("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000", "iteration")]
    [InlineData("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-4096", "malformed")]
    [InlineData("r=NONCEx,s=,i=4096", "malformed")]
    [InlineData("e=other-error", "malformed")]
    [InlineData("m=x,r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "malformed")]
    public void The_client_refuses_a_weak_or_wrong_server(string first, string word)
    {
        var client = new ScramClient(ScramHash.Sha256, "user", new Secret("pencil"), "NONCE");
        client.Start();
        SaslException refusal = Assert.Throws<SaslException>(() => client.Step(Encoding.UTF8.GetBytes(first)));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("v=AAAA")]
    [InlineData("e=unknown-user")]
    public void The_client_does_not_believe_a_server_without_proof(string final)
    {
        var client = new ScramClient(ScramHash.Sha256, "user", new Secret("pencil"), "NONCE");
        client.Start();
        client.Step("r=NONCEx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"u8);
        Assert.Throws<SaslException>(() => client.Finish(Encoding.UTF8.GetBytes(final)));
    }

    [Fact]
    public void The_client_takes_the_proof_as_a_challenge_too()
    {
        ScramClient client = Sha256.Client();
        client.Start();
        client.Step(Encoding.UTF8.GetBytes(Sha256.ServerFirst));
        Assert.Empty(client.Step(Encoding.UTF8.GetBytes("v=" + Sha256.Signature)));
        client.Finish([]);
    }

    private static ScramServer Server(UserStore users, Exchange exchange) =>
        new(exchange.Hash, users, exchange.ServerNonce);

    private static void Replay(Exchange exchange)
    {
        using UserStore users = exchange.Users();
        using ScramServer server = Server(users, exchange);
        ScramClient client = exchange.Client();
        byte[] first = client.Start();
        Assert.Equal(exchange.ClientFirst, Encoding.UTF8.GetString(first));
        SaslStep challenge = server.Step(first);
        Assert.Equal(exchange.ServerFirst, Encoding.UTF8.GetString(challenge.Data.Span));
        byte[] final = client.Step(challenge.Data.Span);
        Assert.Equal(exchange.ClientFinal, Encoding.UTF8.GetString(final));
        SaslStep outcome = server.Step(final);
        Assert.Equal(SaslStatus.Succeeded, outcome.Status);
        Assert.Equal("user", outcome.Identity?.Name);
        Assert.Equal("v=" + exchange.Signature, Encoding.UTF8.GetString(outcome.Data.Span));
        client.Finish(outcome.Data.Span);
    }

    /// <summary>User "user", password "pencil", 4096 iterations.</summary>
    private sealed record Exchange(
        ScramHash Hash, string ClientNonce, string ServerNonce, string Salt, string Proof, string Signature)
    {
        public string ClientFirst => $"n,,n=user,r={ClientNonce}";

        public string ServerFirst => $"r={ClientNonce}{ServerNonce},s={Salt},i=4096";

        public string ClientFinal => $"c=biws,r={ClientNonce}{ServerNonce},p={Proof}";

        public ScramClient Client() => new(Hash, "user", new Secret("pencil"), ClientNonce);

        /// <summary>A store whose file holds the published salt.</summary>
        public UserStore Users()
        {
            byte[] salt = Convert.FromBase64String(Salt);
            byte[] salted = Hash.SaltedPassword("pencil"u8, salt, 4096);
            var entry = new ScramEntry
            {
                Mechanism = Hash.Mechanism,
                Iterations = 4096,
                Salt = salt,
                StoredKey = Hash.Hash(Hash.ClientKey(salted)),
                ServerKey = Hash.ServerKey(salted),
            };
            var user = new UserEntry { Name = "user", Scram = [entry] };
            var files = new MemoryFileSystem();
            using (IFile file = files.Open("users.json", FileOpening.CreateNew))
            {
                file.Write(0, UserTable.From(new UserFile { NodeKey = new byte[32], Users = [user] }).Bytes);
            }

            var options = new UserStoreOptions { FileSystem = files, Path = "users.json", ScramIterations = 4096 };
            return UserStore.Open(options);
        }
    }
}
