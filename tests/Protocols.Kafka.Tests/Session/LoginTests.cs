using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Tokens;
using Pillarbox.Broker.Tests.Security.Tokens;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Who gets in, for how long, and as whom: certificates, tokens, logins that are made again (KIP-368).
/// </summary>
public sealed class LoginTests
{
    private const string Mechanism = "OAUTHBEARER";

    private static readonly KafkaOptions MustLogIn = new() { AllowAnonymous = false, IdleTimeoutMs = 0 };

    [Fact]
    public async Task Who_shows_a_users_certificate_is_that_user()
    {
        await using var scene = new KafkaScene(MustLogIn);
        using X509Certificate2 certificate = Certificate("alice.example");
        KafkaPeer stranger = scene.Connect(certificate);
        await stranger.SendAsync(new MetadataRequest(), 1);
        await stranger.AssertEndedAsync();

        scene.Users.Add("alice", null, ["client"], ["dns:alice.example"]);
        KafkaPeer alice = scene.Connect(certificate);
        await alice.CreateTopicAsync("t");
        DescribeGroupsResponse seen = await alice.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(
            new() { Groups = ["g"] }, 0);
        Assert.NotEqual((short)ErrorCode.GroupAuthorizationFailed, seen.Groups[0].ErrorCode);
    }

    [Fact]
    public async Task A_password_counts_more_than_a_certificate()
    {
        await using var scene = new KafkaScene(MustLogIn, spaces: ["blue"]);
        using X509Certificate2 certificate = Certificate("alice.example");
        scene.Users.Add("alice", null, [], ["dns:alice.example"]);
        scene.Users.Add("bob", new Secret("secret"), [], addressSpace: "blue");
        KafkaPeer peer = scene.Connect(certificate);
        Assert.Equal(0, (await peer.LogInAsync("bob")).ErrorCode);
        await peer.CreateTopicAsync("t");
        Assert.NotNull(scene.Broker.StreamsOf("blue")!.Find("t"));
    }

    [Fact]
    public async Task A_token_logs_in_for_as_long_as_it_is_good()
    {
        using var maker = new TokenMaker();
        var clock = new HandClock();
        using TokenVerifier tokens = Verifier(maker, clock);
        await using var scene = new KafkaScene(MustLogIn, time: clock, tokens: tokens);
        KafkaPeer peer = scene.Connect();
        SaslAuthenticateResponse first = await BearerAsync(peer, maker, "alice", clock);
        Assert.Equal(0, first.ErrorCode);
        Assert.Equal(3_600_000, first.SessionLifetimeMs);
        await peer.AskAsync<MetadataRequest, MetadataResponse>(new(), 1);

        clock.Advance(3_599_000);
        SaslAuthenticateResponse again = await BearerAsync(peer, maker, "alice", clock);
        Assert.Equal(3_600_000, again.SessionLifetimeMs);
        clock.Advance(3_599_000);
        await peer.AskAsync<MetadataRequest, MetadataResponse>(new(), 1);
        clock.Advance(2_000);
        await peer.SendAsync(new MetadataRequest(), 1);
        await peer.AssertEndedAsync();
    }

    [Fact]
    public async Task A_wrong_token_is_refused_at_once()
    {
        using var maker = new TokenMaker();
        using var other = new TokenMaker();
        var clock = new HandClock();
        using TokenVerifier tokens = Verifier(maker, clock);
        await using var scene = new KafkaScene(MustLogIn, time: clock, tokens: tokens);
        KafkaPeer peer = scene.Connect();
        SaslAuthenticateResponse answer = await BearerAsync(peer, other, "alice", clock);
        Assert.Equal((short)ErrorCode.SaslAuthenticationFailed, answer.ErrorCode);
        await peer.AssertEndedAsync();
    }

    [Fact]
    public async Task Who_logs_in_again_must_be_the_same()
    {
        using var maker = new TokenMaker();
        var clock = new HandClock();
        using TokenVerifier tokens = Verifier(maker, clock);
        await using var scene = new KafkaScene(MustLogIn, time: clock, tokens: tokens);
        KafkaPeer peer = scene.Connect();
        await BearerAsync(peer, maker, "alice", clock);
        SaslAuthenticateResponse answer = await BearerAsync(peer, maker, "bob", clock);
        Assert.Equal((short)ErrorCode.SaslAuthenticationFailed, answer.ErrorCode);
        await peer.AssertEndedAsync();
    }

    [Fact]
    public async Task A_password_is_good_as_long_as_the_node_says()
    {
        var clock = new HandClock();
        await using var scene = new KafkaScene(MustLogIn with { SessionLifetimeMs = 60_000 }, time: clock);
        KafkaPeer peer = await scene.ConnectAsync("alice");
        clock.Advance(59_000);
        Assert.Equal(60_000, (await peer.LogInAsync("alice")).SessionLifetimeMs);
        clock.Advance(61_000);
        await peer.SendAsync(new MetadataRequest(), 1);
        await peer.AssertEndedAsync();
    }

    /// <summary>What is wrong with a login is told only when the time is over, and then the connection ends.</summary>
    [Theory]
    [InlineData("PLAIN", 1)]
    [InlineData("PLAIN", 0)]
    [InlineData("SCRAM-SHA-256", 1)]
    public async Task Who_is_refused_hears_so_after_a_while(string mechanism, short handshake)
    {
        var clock = new HandClock();
        await using var scene = new KafkaScene(MustLogIn, time: clock, refusalDelayMs: 100);
        scene.Users.Add("alice", new Secret("secret"), []);
        KafkaPeer peer = scene.Connect();
        await peer.AskAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = mechanism }, handshake);
        int timers = clock.TimerCount;
        byte[] token = mechanism == "PLAIN" ? "\0alice\0wrong"u8.ToArray() : "p=tls-unique,,n=alice,r=x"u8.ToArray();
        int correlation = 0;
        if (handshake == 0)
        {
            await peer.SendFrameAsync(token);
        }
        else
        {
            correlation = await peer.SendAsync(new SaslAuthenticateRequest { AuthBytes = token }, 2);
        }

        await WaitAsync(() => clock.TimerCount > timers);
        clock.Advance(99);
        Assert.False(peer.HasInput());
        clock.Advance(1);
        if (handshake > 0)
        {
            SaslAuthenticateResponse answer = await peer.TakeAsync<SaslAuthenticateResponse>(2, correlation);
            Assert.Equal((short)ErrorCode.SaslAuthenticationFailed, answer.ErrorCode);
        }

        await peer.AssertEndedAsync();
    }

    [Fact]
    public async Task Who_is_let_in_does_not_wait()
    {
        var clock = new HandClock();
        await using var scene = new KafkaScene(MustLogIn, time: clock, refusalDelayMs: 100);
        await scene.ConnectAsync("alice");
    }

    [Fact]
    public async Task Who_does_not_wait_to_be_refused_is_forgotten_when_the_time_is_over()
    {
        var clock = new HandClock();
        await using var scene = new KafkaScene(MustLogIn, time: clock, refusalDelayMs: 100);
        KafkaPeer peer = scene.Connect();
        await peer.AskAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = "PLAIN" }, 1);
        int timers = clock.TimerCount;
        await peer.SendAsync(new SaslAuthenticateRequest { AuthBytes = "\0alice\0wrong"u8.ToArray() }, 2);
        await WaitAsync(() => clock.TimerCount > timers);
        Task over = peer.DisposeAsync().AsTask();
        clock.Advance(100);
        await over;
        Assert.Equal(timers, clock.TimerCount);
    }

    private static async Task WaitAsync(Func<bool> holds)
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            await Task.Delay(1, cancellation.Token);
        }
    }

    private static async Task<SaslAuthenticateResponse> BearerAsync(
        KafkaPeer peer, TokenMaker maker, string user, HandClock clock)
    {
        SaslHandshakeResponse offered = await peer.AskAsync<SaslHandshakeRequest, SaslHandshakeResponse>(
            new() { Mechanism = Mechanism }, 1);
        Assert.Equal(0, offered.ErrorCode);
        string token = maker.Sign(TokenMaker.Claims(user, clock.GetUtcNow()));
        return await peer.AskAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(
            new() { AuthBytes = Encoding.UTF8.GetBytes($"n,,\x01" + $"auth=Bearer {token}\x01\x01") }, 2);
    }

    private static TokenVerifier Verifier(TokenMaker maker, HandClock clock) => new(new TokenOptions
    {
        Issuer = TokenMaker.Issuer,
        Audiences = [TokenMaker.Audience],
        ReadKeys = _ => new(Encoding.UTF8.GetBytes(maker.KeySet)),
        Time = clock,
    });

    private static X509Certificate2 Certificate(string dnsName)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(dnsName);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
