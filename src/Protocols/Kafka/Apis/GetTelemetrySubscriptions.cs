using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>GetTelemetrySubscriptions: nobody here asks for the figures of clients (KIP-714), so they are told to send
/// none, and to ask again after a while.</summary>
internal static class GetTelemetrySubscriptionsApi
{
    private const int PushIntervalMs = 300_000;
    private const int BytesMax = 1 << 20;

    public static ValueTask<GetTelemetrySubscriptionsResponse?> HandleAsync(
        ApiCall call, GetTelemetrySubscriptionsRequest request)
    {
        Span<byte> id = stackalloc byte[16];
        call.Session.Environment.Random.Fill(id);
        return new(new GetTelemetrySubscriptionsResponse
        {
            ClientInstanceId = request.ClientInstanceId == Guid.Empty ? new Guid(id) : request.ClientInstanceId,
            AcceptedCompressionTypes = [0],
            PushIntervalMs = PushIntervalMs,
            TelemetryMaxBytes = BytesMax,
            DeltaTemporality = true,
        });
    }
}
