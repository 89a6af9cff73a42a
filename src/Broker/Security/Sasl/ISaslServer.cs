using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>Where a SASL exchange stands after a step.</summary>
public enum SaslStatus
{
    /// <summary>Send <see cref="SaslStep.Data"/> as a challenge (may be empty) and step again with the
    /// answer.</summary>
    Challenge,

    /// <summary>Logged in as <see cref="SaslStep.Identity"/>; send <see cref="SaslStep.Data"/> with the outcome when
    /// not empty.</summary>
    Succeeded,

    /// <summary>Refused; the peer learns nothing more. <see cref="SaslStep.Reason"/> is for the node's own
    /// log.</summary>
    Failed,

    /// <summary>The check takes long: await <see cref="ISaslServer.VerifyAsync"/>, which gives the next step.</summary>
    Verify,

    /// <summary>Too many logins are being checked at this moment: the client should try again later.</summary>
    Busy,
}

/// <summary>The result of one step of a SASL exchange.</summary>
/// <param name="Status">What to do.</param>
/// <param name="Data">Bytes for the peer.</param>
/// <param name="Identity">Who logged in, when <see cref="SaslStatus.Succeeded"/>.</param>
/// <param name="Reason">Why it failed, for the node's log only; holds no secret.</param>
public readonly record struct SaslStep(
    SaslStatus Status, ReadOnlyMemory<byte> Data = default, Identity? Identity = null, string? Reason = null)
{
    /// <summary>When what the client logged in with is no longer good, in milliseconds since the Unix epoch; null: it
    /// does not end by itself.</summary>
    public long? ExpiresAtMs { get; init; }

    internal static SaslStep Challenge(ReadOnlyMemory<byte> data) => new(SaslStatus.Challenge, data);

    internal static SaslStep Succeeded(Identity identity, ReadOnlyMemory<byte> data = default) =>
        new(SaslStatus.Succeeded, data, identity);

    internal static SaslStep Failed(string reason) => new(SaslStatus.Failed, Reason: reason);
}

/// <summary>
/// The server's side of one SASL exchange (RFC 4422). Pure: bytes in, step out; owned by one connection. A malformed
/// message is a failed step, never an exception. After Succeeded, Failed or Busy the exchange is over; dispose it then
/// (it may hold a secret).
/// </summary>
public interface ISaslServer : IDisposable
{
    /// <summary>The mechanism's registered name.</summary>
    string Mechanism { get; }

    /// <summary>
    /// Takes the initial response (empty when the client sent none), then each response, and says what comes next.
    /// Never blocks for long.
    /// </summary>
    SaslStep Step(ReadOnlySpan<byte> response);

    /// <summary>
    /// Only after a step said <see cref="SaslStatus.Verify"/>: does the expensive check away from the caller's thread,
    /// with bounded concurrency, and keeps who is refused waiting for a while (<see
    /// cref="SaslServers.RefusalDelayMs"/>).
    /// </summary>
    ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation);
}
