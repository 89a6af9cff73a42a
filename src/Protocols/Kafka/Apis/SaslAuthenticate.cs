using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>SaslAuthenticate: one token of the exchange that the handshake began.</summary>
internal static class SaslAuthenticateApi
{
    public static ValueTask<SaslAuthenticateResponse?> HandleAsync(ApiCall call, SaslAuthenticateRequest request)
    {
        // Who the client is decides what its next request may be: nothing more is read before.
        Task<SaslAuthenticateResponse?> answer = StepAsync(call, request);
        call.FrameHold = answer;
        return new(answer);
    }

    private static async Task<SaslAuthenticateResponse?> StepAsync(ApiCall call, SaslAuthenticateRequest request)
    {
        SaslVerdict verdict = await call.Session.Sasl.StepAsync(call.Session, request.AuthBytes);
        call.EndsConnection = verdict.Error == ErrorCode.SaslAuthenticationFailed;
        return new SaslAuthenticateResponse
        {
            ErrorCode = (short)verdict.Error,
            ErrorMessage = verdict.Message,
            AuthBytes = verdict.Data,
            SessionLifetimeMs = verdict.LifetimeMs,
        };
    }
}
