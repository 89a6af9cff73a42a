using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>CreateDelegationToken, RenewDelegationToken, ExpireDelegationToken and DescribeDelegationToken: the node
/// gives out no tokens of its own, as a broker without a key for them does. Those of an issuer log in by
/// OAUTHBEARER.</summary>
internal static class DelegationTokensApi
{
    private const short Disabled = (short)ErrorCode.DelegationTokenAuthDisabled;
    private const long Never = -1;

    public static ValueTask<CreateDelegationTokenResponse?> CreateAsync(
        ApiCall call, CreateDelegationTokenRequest request) => new(new CreateDelegationTokenResponse
        {
            ErrorCode = Disabled,
            PrincipalType = request.OwnerPrincipalType ?? "User",
            PrincipalName = request.OwnerPrincipalName ?? call.Session.Identity?.Name ?? "",
            TokenRequesterPrincipalType = "User",
            TokenRequesterPrincipalName = call.Session.Identity?.Name ?? "",
            IssueTimestampMs = Never,
            ExpiryTimestampMs = Never,
            MaxTimestampMs = Never,
        });

    public static ValueTask<RenewDelegationTokenResponse?> RenewAsync(
        ApiCall call, RenewDelegationTokenRequest request) =>
        new(new RenewDelegationTokenResponse { ErrorCode = Disabled, ExpiryTimestampMs = Never });

    public static ValueTask<ExpireDelegationTokenResponse?> ExpireAsync(
        ApiCall call, ExpireDelegationTokenRequest request) =>
        new(new ExpireDelegationTokenResponse { ErrorCode = Disabled, ExpiryTimestampMs = Never });

    public static ValueTask<DescribeDelegationTokenResponse?> DescribeAsync(
        ApiCall call, DescribeDelegationTokenRequest request) =>
        new(new DescribeDelegationTokenResponse { ErrorCode = Disabled });
}
