using System.Text;
using Pillarbox.Broker.Security.Tokens;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>
/// OAUTHBEARER (RFC 7628 section 3):
/// <code>
/// C: n,[a=user],^A key=value ^A ... auth=Bearer token ^A ^A     (^A is the byte 1)
/// S: success, or {"status":"invalid_token"} as a challenge
/// C: ^A
/// S: failure
/// </code>
/// The challenge that says no has a <see cref="SaslStep.Reason"/>.
/// </summary>
internal sealed class OAuthBearerServer(TokenVerifier tokens) : ISaslServer
{
    private const int ResponseBytesMax = TokenVerifier.CharsMax + 4096;
    private const char Separator = '\x01';
    private const string Scheme = "Bearer ";

    private string? _actFor;
    private string _token = "";
    private State _state = State.First;

    private enum State
    {
        First,
        Refused,
        Over,
    }

    public string Mechanism => SaslServers.OAuthBearer;

    public SaslStep Step(ReadOnlySpan<byte> response)
    {
        if (_state != State.First)
        {
            _state = State.Over;
            return SaslStep.Failed("the token was refused");
        }

        if (response.IsEmpty)
        {
            return SaslStep.Challenge(default);
        }

        if (response.Length > ResponseBytesMax || !TryParse(Encoding.UTF8.GetString(response)))
        {
            _state = State.Over;
            return SaslStep.Failed("the OAUTHBEARER response is malformed");
        }

        return new SaslStep(SaslStatus.Verify);
    }

    public async ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation)
    {
        TokenVerdict verdict = await tokens.VerifyAsync(_token, cancellation).ConfigureAwait(false);
        _token = "";
        string? fault = verdict.Fault ?? (_actFor is not null && _actFor != verdict.Identity!.Name
            ? "acting for another user is not supported"
            : null);
        if (fault is null)
        {
            _state = State.Over;
            return SaslStep.Succeeded(verdict.Identity!) with { ExpiresAtMs = verdict.ExpiresAtMs };
        }

        _state = State.Refused;
        return SaslStep.Challenge("{\"status\":\"invalid_token\"}"u8.ToArray()) with { Reason = fault };
    }

    public void Dispose() => _token = "";

    private bool TryParse(string text)
    {
        string[] parts = text.Split(Separator);
        // gs2-header = "n," [ "a=" authzid ] ","; the last two parts are empty.
        if (parts.Length < 4 || parts[^1].Length > 0 || parts[^2].Length > 0
            || !parts[0].StartsWith("n,", StringComparison.Ordinal) || !parts[0].EndsWith(','))
        {
            return false;
        }

        string actFor = parts[0].Length > 3 ? parts[0][2..^1] : "";
        if (actFor.Length > 0)
        {
            if (!ScramText.TryUnescape(actFor.StartsWith("a=", StringComparison.Ordinal) ? actFor[2..] : "",
                out _actFor) || _actFor.Length == 0)
            {
                return false;
            }
        }

        string? auth = Array.Find(parts, part => part.StartsWith("auth=", StringComparison.Ordinal))?[5..];
        if (auth is null || !auth.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        _token = auth[Scheme.Length..].Trim(' ');
        return _token.Length > 0;
    }
}
