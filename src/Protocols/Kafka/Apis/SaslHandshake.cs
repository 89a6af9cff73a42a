using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>SaslHandshake: the client names a mechanism. After version 0 bare tokens follow.</summary>
internal static class SaslHandshakeApi
{
    public static ValueTask<SaslHandshakeResponse?> HandleAsync(ApiCall call, SaslHandshakeRequest request)
    {
        SaslExchange sasl = call.Session.Sasl;
        bool good = sasl.TryBegin(request.Mechanism, rawTokens: call.Version == 0);
        return new(new SaslHandshakeResponse
        {
            ErrorCode = (short)(good ? ErrorCode.None : ErrorCode.UnsupportedSaslMechanism),
            Mechanisms = sasl.Mechanisms,
        });
    }
}
