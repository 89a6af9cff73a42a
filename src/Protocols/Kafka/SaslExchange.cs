using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
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

    private SaslContext Context => new()
    {
        AllowPlain = peer.IsTls || peer.IsLoopback || environment.Options.AllowPlainWithoutTls,
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

    /// <summary>Takes the client's token and says what to answer.</summary>
    public async Task<SaslVerdict> StepAsync(byte[] token, CancellationToken cancellation)
    {
        if (_server is null)
        {
            return new SaslVerdict(ErrorCode.IllegalSaslState, [], "a token before the handshake");
        }

        SaslStep step = _server.Step(token);
        if (step.Status == SaslStatus.Verify)
        {
            step = await _server.VerifyAsync(cancellation);
        }

        switch (step.Status)
        {
            case SaslStatus.Challenge:
                return new SaslVerdict(ErrorCode.None, step.Data.ToArray(), null);
            case SaslStatus.Succeeded:
                Dispose();
                return new SaslVerdict(ErrorCode.None, step.Data.ToArray(), null) { Identity = step.Identity };
            default:
                Dispose();
                Log.LoginFailed(environment.Logger, peer.RemoteEndPoint, step.Reason ?? "too many logins at once");
                return new SaslVerdict(ErrorCode.SaslAuthenticationFailed, [], "Authentication failed");
        }
    }

    public void Dispose()
    {
        TakesRawTokens = false;
        _server?.Dispose();
        _server = null;
    }

    private static bool IsSpoken(string mechanism) =>
        mechanism is SaslServers.Plain or SaslServers.ScramSha256 or SaslServers.ScramSha512;
}

/// <summary>What a token led to.</summary>
internal readonly record struct SaslVerdict(ErrorCode Error, byte[] Data, string? Message)
{
    /// <summary>Who has logged in, when the exchange is over.</summary>
    public Identity? Identity { get; init; }
}
