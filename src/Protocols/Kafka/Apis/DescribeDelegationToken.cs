using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeDelegationToken: there are none of the node's own.</summary>
internal static class DescribeDelegationTokenApi
{
    public static ValueTask<DescribeDelegationTokenResponse?> HandleAsync(
        ApiCall call, DescribeDelegationTokenRequest request) => new(new DescribeDelegationTokenResponse
        {
            ErrorCode = (short)ErrorCode.DelegationTokenAuthDisabled,
        });
}
