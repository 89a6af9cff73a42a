using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ExpireDelegationToken: there are none of the node's own.</summary>
internal static class ExpireDelegationTokenApi
{
    private const long Never = -1;

    public static ValueTask<ExpireDelegationTokenResponse?> HandleAsync(
        ApiCall call, ExpireDelegationTokenRequest request) => new(new ExpireDelegationTokenResponse
        {
            ErrorCode = (short)ErrorCode.DelegationTokenAuthDisabled,
            ExpiryTimestampMs = Never,
        });
}
