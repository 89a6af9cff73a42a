using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>RenewDelegationToken: there are none of the node's own.</summary>
internal static class RenewDelegationTokenApi
{
    private const long Never = -1;

    public static ValueTask<RenewDelegationTokenResponse?> HandleAsync(
        ApiCall call, RenewDelegationTokenRequest request) => new(new RenewDelegationTokenResponse
        {
            ErrorCode = (short)ErrorCode.DelegationTokenAuthDisabled,
            ExpiryTimestampMs = Never,
        });
}
