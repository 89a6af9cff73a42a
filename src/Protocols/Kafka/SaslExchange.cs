using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// The SASL login of a connection: a handshake names the mechanism, then tokens go to and fro, in SaslAuthenticate
/// requests (handshake version 1) or as bare frames (version 0). Owned by the connection's reading loop.
/// </summary>
internal sealed class SaslExchange(KafkaEnvironment environment, PeerInfo peer) : IDisposable
{
    private ISaslServer? _server;

    /// <summary>Whether the next frame is a bare token without a request header.</summary>
    public bool TakesRawTokens { get; private set; }

    /// <summary>The mechanisms to offer. ANONYMOUS and EXTERNAL have no place in this protocol.</summary>
    public string[] Mechanisms => [.. environment.Sasl.Offer(Context).Where(IsSpoken)];

    /// <summary>Whether secrets may travel on the connection as they are.</summary>
    public bool IsLinkTrusted => peer.IsTls || peer.IsLoopback || environment.Options.AllowPlainWithoutTls;

    private SaslContext Context => new()
    {
        AllowPlain = IsLinkTrusted,
        AnyPassword = environment.Options.AllowAnyPassword && peer.IsLoopback,
        ClientCertificate = peer.ClientCertificate,
    };

    /// <summary>Begins an exchange; false: the mechanism is not offered.</summary>
    public bool TryBegin(string mechanism, bool rawTokens)
    {
        Dispose();
        _server = IsSpoken(mechanism) ? environment.Sasl.Create(mechanism, Context) : null;
        TakesRawTokens = rawTokens && _server is not null;
        return _server is not null;
    }

    /// <summary>Takes the client's token and says what to answer; who has proven who it is, is in the session.
    /// </summary>
    public async Task<SaslVerdict> StepAsync(KafkaSession session, byte[] token)
    {
        if (_server is null)
        {
            return new SaslVerdict(ErrorCode.IllegalSaslState, [], "a token before the handshake");
        }

        SaslStep step = _server.Step(token);
        if (step.Status == SaslStatus.Verify)
        {
            step = await _server.VerifyAsync(session.Closed);
        }

        switch (step.Status)
        {
            // What says no in two steps says it in one here: clients do not look into the challenge.
            case SaslStatus.Challenge when step.Reason is { } reason:
                Dispose();
                return Refuse(reason);
            case SaslStatus.Challenge:
                return new SaslVerdict(ErrorCode.None, step.Data.ToArray(), null);
            case SaslStatus.Succeeded:
                Dispose();
                return Enter(session, step);
            default:
                Dispose();
                return Refuse(step.Reason ?? "too many logins at once");
        }
    }

    private SaslVerdict Enter(KafkaSession session, in SaslStep step)
    {
        long lifetimeMs = environment.Options.SessionLifetimeMs > 0
            ? environment.Options.SessionLifetimeMs
            : long.MaxValue;
        lifetimeMs = Math.Min(lifetimeMs, step.ExpiresAtMs - environment.UnixMs ?? long.MaxValue);
        bool ends = lifetimeMs < long.MaxValue;
        string? fault = session.Enter(step.Identity!, ends ? environment.SteadyMs + lifetimeMs : long.MaxValue);
        return fault is null
            ? new SaslVerdict(ErrorCode.None, step.Data.ToArray(), null) { LifetimeMs = ends ? lifetimeMs : 0 }
            : Refuse(fault);
    }

    private SaslVerdict Refuse(string reason)
    {
        Log.LoginFailed(environment.Logger, peer.RemoteEndPoint, reason);
        return new SaslVerdict(ErrorCode.SaslAuthenticationFailed, [], "Authentication failed");
    }

    public void Dispose()
    {
        TakesRawTokens = false;
        _server?.Dispose();
        _server = null;
    }

    private static bool IsSpoken(string mechanism) =>
        mechanism is SaslServers.Plain or SaslServers.ScramSha256 or SaslServers.ScramSha512
            or SaslServers.OAuthBearer;
}

/// <summary>What a token led to.</summary>
internal readonly record struct SaslVerdict(ErrorCode Error, byte[] Data, string? Message)
{
    /// <summary>For how long the login is good, in milliseconds; 0: without an end.</summary>
    public long LifetimeMs { get; init; }
}
