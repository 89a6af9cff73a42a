using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>PushTelemetry: figures that nobody has asked for are refused.</summary>
internal static class PushTelemetryApi
{
    public static ValueTask<PushTelemetryResponse?> HandleAsync(ApiCall call, PushTelemetryRequest request) =>
        new(new PushTelemetryResponse
        {
            ErrorCode = (short)(request.Metrics.Length == 0 ? ErrorCode.None : ErrorCode.UnknownSubscriptionId),
        });
}
