using System.Text;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Security.Tokens;
using Pillarbox.Broker.Tests.Security.Tokens;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>OAUTHBEARER over AMQP: a token logs in, a wrong one hears no in two steps, and a connection ends with what
/// it logged in with.</summary>
public sealed class TokenLoginTests : IDisposable
{
    private const ulong OpenCode = 0x10;
    private const ulong CloseCode = 0x18;
    private const ulong MechanismsCode = 0x40;
    private const ulong ChallengeCode = 0x42;
    private const ulong OutcomeCode = 0x44;

    private readonly AmqpScene _scene = new();
    private readonly TokenMaker _maker = new();
    private readonly TokenVerifier _tokens;

    public TokenLoginTests()
    {
        _tokens = new TokenVerifier(new TokenOptions
        {
            Issuer = TokenMaker.Issuer,
            Audiences = [TokenMaker.Audience],
            ReadKeys = _ => new(Encoding.UTF8.GetBytes(_maker.KeySet)),
            Time = _scene.Clock,
        });
        _scene.Handler.Secure(
            allowAnonymous: false, new SaslServers(null, new SeededRandom(1), _tokens));
    }

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
        _tokens.Dispose();
        _maker.Dispose();
    }

    [Fact]
    public void A_connection_ends_with_its_token()
    {
        AmqpPeer peer = LogIn(_maker);
        Assert.Empty(_scene.Faults.Errors);
        Assert.Equal(SaslCode.Ok, peer.Next(OutcomeCode).AsSaslOutcome().Code);
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open)]);
        Assert.Equal(OpenCode, peer.Next().Descriptor);
        for (int minutes = 0; minutes < 59; minutes++)
        {
            _scene.Advance(60_000 - 1);
            peer.Send(FrameBytes.Raw([], 0, FrameType.Amqp));
        }

        Assert.False(peer.IsEnded);
        _scene.Advance(59_000);
        peer.Send(FrameBytes.Raw([], 0, FrameType.Amqp));
        _scene.Advance(2_000);
        Assert.Equal(AmqpErrorCondition.UnauthorizedAccess, peer.Next(CloseCode).AsClose().Error!.Condition);
    }

    [Fact]
    public void A_wrong_token_is_refused_in_two_steps()
    {
        using var other = new TokenMaker();
        AmqpPeer peer = LogIn(other);
        Assert.Equal(ChallengeCode, peer.Next(ChallengeCode).Descriptor);
        peer.Send(FrameBytes.Of(new SaslResponse { Response = [1] }));
        Assert.Equal(SaslCode.Auth, peer.Next(OutcomeCode).AsSaslOutcome().Code);
        Assert.True(peer.IsEnded);
    }

    private AmqpPeer LogIn(TokenMaker maker)
    {
        string token = maker.Sign(TokenMaker.Claims("alice", _scene.Clock.GetUtcNow()));
        AmqpPeer peer = _scene.Connect();
        peer.Send(ProtocolHeader.Sasl);
        Assert.Contains(
            SaslServers.OAuthBearer, peer.Next(MechanismsCode).AsSaslMechanisms().ServerMechanisms);
        return peer.Send(FrameBytes.Of(new SaslInit
        {
            Mechanism = SaslServers.OAuthBearer,
            InitialResponse = Encoding.UTF8.GetBytes("n,,\x01" + $"auth=Bearer {token}\x01\x01"),
        }));
    }
}
