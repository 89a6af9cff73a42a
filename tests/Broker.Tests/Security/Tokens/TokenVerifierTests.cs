using System.Text;
using System.Text.Json.Nodes;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Security.Tokens;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Security.Tokens;

/// <summary>Tokens: what the issuer signed for this node, and nothing else, logs in.</summary>
public sealed class TokenVerifierTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TokenMaker _maker = new();
    private readonly FixedClock _clock = new();
    private int _reads;

    public void Dispose() => _maker.Dispose();

    [Theory]
    [InlineData("RS256", "r")]
    [InlineData("PS512", "r")]
    [InlineData("ES256", "e")]
    [InlineData("RS256", null)]
    public async Task What_the_issuer_signed_logs_in(string algorithm, string? key)
    {
        JsonObject claims = TokenMaker.Claims("alice", Now);
        claims["roles"] = new JsonArray("ops", "dev");
        TokenVerdict verdict = await VerifyAsync(_maker.Sign(claims, algorithm, key));
        Assert.Null(verdict.Fault);
        Assert.Equal("alice", verdict.Identity!.Name);
        Assert.Equal(["base", "ops", "dev"], verdict.Identity.Roles);
        Assert.Equal(Now.AddHours(1).ToUnixTimeMilliseconds(), verdict.ExpiresAtMs);
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("none", "r")]
    [InlineData("HS256", "r")]
    [InlineData("HS256", "o")]
    [InlineData("RS256", "e")]
    [InlineData("ES256", "r")]
    [InlineData("RS256", "damaged")]
    [InlineData("RS256", "other")]
    public async Task An_algorithm_that_is_not_the_keys_is_refused(string algorithm, string? key)
    {
        TokenVerdict verdict = await VerifyAsync(_maker.Sign(TokenMaker.Claims("alice", Now), algorithm, key));
        Assert.Null(verdict.Identity);
        Assert.NotNull(verdict.Fault);
    }

    [Theory]
    [InlineData("iss", "\"https://other.example\"")]
    [InlineData("iss", null)]
    [InlineData("aud", "\"other\"")]
    [InlineData("aud", "[\"other\", 7]")]
    [InlineData("aud", null)]
    [InlineData("exp", "1893455969")] // 31 s ago
    [InlineData("exp", "\"later\"")]
    [InlineData("exp", null)]
    [InlineData("nbf", "1893456031")] // in 31 s
    [InlineData("sub", null)]
    [InlineData("sub", "7")]
    [InlineData("sub", "\"\"")]
    [InlineData("sub", "\"$node\"")]
    public async Task A_claim_that_is_wrong_is_refused(string claim, string? json)
    {
        JsonObject claims = TokenMaker.Claims("alice", Now);
        claims.Remove(claim);
        if (json is not null)
        {
            claims[claim] = JsonNode.Parse(json);
        }

        TokenVerdict verdict = await VerifyAsync(_maker.Sign(claims));
        Assert.Null(verdict.Identity);
        Assert.NotNull(verdict.Fault);
    }

    [Theory]
    [InlineData("exp", 1893455971)] // 29 s ago
    [InlineData("nbf", 1893456029)] // in 29 s
    public async Task Clocks_may_differ_a_little(string claim, long seconds)
    {
        JsonObject claims = TokenMaker.Claims("alice", Now);
        claims[claim] = seconds;
        Assert.Null((await VerifyAsync(_maker.Sign(claims))).Fault);
    }

    [Fact]
    public async Task Any_changed_byte_is_refused()
    {
        string token = _maker.Sign(TokenMaker.Claims("alice", Now));
        for (int i = 0; i < token.Length; i += 7)
        {
            char other = token[i] == 'A' ? 'B' : 'A';
            TokenVerdict verdict = await VerifyAsync($"{token[..i]}{other}{token[(i + 1)..]}");
            Assert.Null(verdict.Identity);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("..")]
    [InlineData("e30.e30.")]
    [InlineData("W10.W10.W10")]
    [InlineData("!.!.!")]
    public async Task Nonsense_is_refused(string token) => Assert.Null((await VerifyAsync(token)).Identity);

    [Fact]
    public async Task A_critical_extension_is_refused()
    {
        string token = _maker.Sign(
            TokenMaker.Claims("alice", Now), header: new JsonObject { ["crit"] = new JsonArray("b64") });
        Assert.Null((await VerifyAsync(token)).Identity);
    }

    [Fact]
    public async Task Claims_may_lie_in_objects()
    {
        JsonObject claims = TokenMaker.Claims("alice", Now);
        claims["who"] = new JsonObject { ["name"] = "bob", ["roles"] = "a b" };
        using TokenVerifier verifier = Verifier(options => options with
        {
            NameClaim = "who.name",
            RolesClaim = "who.roles",
        });
        TokenVerdict verdict = await verifier.VerifyAsync(_maker.Sign(claims), default);
        Assert.Equal("bob", verdict.Identity?.Name);
        Assert.Equal(["base", "a", "b"], verdict.Identity!.Roles);
    }

    [Fact]
    public async Task Keys_are_read_once_and_again_when_a_token_names_another_but_not_all_the_time()
    {
        using TokenVerifier verifier = Verifier();
        string good = _maker.Sign(TokenMaker.Claims("alice", Now));
        string other = _maker.Sign(TokenMaker.Claims("alice", Now), keyId: "new");
        await verifier.VerifyAsync(good, default);
        await verifier.VerifyAsync(good, default);
        Assert.Equal(1, _reads);
        await verifier.VerifyAsync(other, default);
        Assert.Equal(1, _reads);
        _clock.Now += TimeSpan.FromSeconds(11);
        await verifier.VerifyAsync(other, default);
        await verifier.VerifyAsync(other, default);
        Assert.Equal(2, _reads);
        _clock.Now += TimeSpan.FromMinutes(11);
        Assert.Null((await verifier.VerifyAsync(good, default)).Fault);
        Assert.Equal(3, _reads);
    }

    [Fact]
    public async Task While_keys_cannot_be_read_the_last_ones_are_good()
    {
        bool fails = false;
        using TokenVerifier verifier = Verifier(options => options with
        {
            ReadKeys = _ => fails
                ? throw new TokenKeysException("the issuer does not answer")
                : new(Encoding.UTF8.GetBytes(_maker.KeySet)),
        });
        string token = _maker.Sign(TokenMaker.Claims("alice", Now));
        Assert.Null((await verifier.VerifyAsync(token, default)).Fault);
        fails = true;
        _clock.Now += TimeSpan.FromMinutes(20);
        Assert.Null((await verifier.VerifyAsync(token, default)).Fault);
        string other = _maker.Sign(TokenMaker.Claims("alice", Now), keyId: "new");
        _clock.Now += TimeSpan.FromMinutes(1);
        Assert.NotNull((await verifier.VerifyAsync(other, default)).Fault);
    }

    [Theory]
    [InlineData("n,,\x01" + "auth=Bearer TOKEN\x01\x01", true)]
    [InlineData("n,a=alice,\x01" + "host=h\x01port=1\x01" + "auth=bearer TOKEN\x01\x01", true)]
    [InlineData("n,a=bob,\x01" + "auth=Bearer TOKEN\x01\x01", false)]
    [InlineData("n,,\x01" + "auth=Bearer wrong\x01\x01", false)]
    public async Task The_mechanism_says_no_in_two_steps(string message, bool good)
    {
        using TokenVerifier verifier = Verifier();
        using ISaslServer server = new SaslServers(null, new SeededRandom(1), verifier).Create(
            SaslServers.OAuthBearer, new SaslContext { AllowPlain = true })!;
        string whole = message.Replace("TOKEN", _maker.Sign(TokenMaker.Claims("alice", Now)));
        Assert.Equal(SaslStatus.Verify, server.Step(Encoding.UTF8.GetBytes(whole)).Status);
        SaslStep step = await server.VerifyAsync(default);
        Assert.Equal(good ? SaslStatus.Succeeded : SaslStatus.Challenge, step.Status);
        if (good)
        {
            Assert.Equal("alice", step.Identity?.Name);
            Assert.Equal(Now.AddHours(1).ToUnixTimeMilliseconds(), step.ExpiresAtMs);
            return;
        }

        Assert.Equal("{\"status\":\"invalid_token\"}", Encoding.UTF8.GetString(step.Data.Span));
        Assert.Equal(SaslStatus.Failed, server.Step([1]).Status);
    }

    [Theory]
    [InlineData("auth=Bearer x")]
    [InlineData("n,,\x01" + "auth=Bearer x\x01")]
    [InlineData("y,,\x01" + "auth=Bearer x\x01\x01")]
    [InlineData("n,b=c,\x01" + "auth=Bearer x\x01\x01")]
    [InlineData("n,,\x01" + "auth=Basic x\x01\x01")]
    [InlineData("n,,\x01" + "auth=Bearer \x01\x01")]
    [InlineData("n,,\x01\x01")]
    public void A_malformed_message_fails(string message)
    {
        using TokenVerifier verifier = Verifier();
        using ISaslServer server = new SaslServers(null, new SeededRandom(1), verifier).Create(
            SaslServers.OAuthBearer, new SaslContext { AllowPlain = true })!;
        Assert.Equal(SaslStatus.Failed, server.Step(Encoding.UTF8.GetBytes(message)).Status);
    }

    [Fact]
    public void Tokens_are_not_asked_for_where_everybody_could_read_them()
    {
        using TokenVerifier verifier = Verifier();
        var servers = new SaslServers(null, new SeededRandom(1), verifier);
        Assert.DoesNotContain(SaslServers.OAuthBearer, servers.Offer(new SaslContext()));
        Assert.Null(servers.Create(SaslServers.OAuthBearer, new SaslContext()));
    }

    private async Task<TokenVerdict> VerifyAsync(string token)
    {
        using TokenVerifier verifier = Verifier();
        return await verifier.VerifyAsync(token, default);
    }

    private TokenVerifier Verifier(Func<TokenOptions, TokenOptions>? change = null)
    {
        var options = new TokenOptions
        {
            Issuer = TokenMaker.Issuer,
            Audiences = [TokenMaker.Audience, "another"],
            Roles = ["base"],
            RolesClaim = "roles",
            Time = _clock,
            ReadKeys = _ =>
            {
                _reads++;
                return new(Encoding.UTF8.GetBytes(_maker.KeySet));
            },
        };
        return new TokenVerifier(change?.Invoke(options) ?? options);
    }

    private sealed class FixedClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = TokenVerifierTests.Now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.Ticks;
    }
}
