using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>CreateDelegationToken: the node gives out no tokens of its own, as a broker without a key for them does.
/// Those of an issuer log in by OAUTHBEARER.</summary>
internal static class CreateDelegationTokenApi
{
    private const long Never = -1;

    public static ValueTask<CreateDelegationTokenResponse?> HandleAsync(
        ApiCall call, CreateDelegationTokenRequest request) => new(new CreateDelegationTokenResponse
        {
            ErrorCode = (short)ErrorCode.DelegationTokenAuthDisabled,
            PrincipalType = request.OwnerPrincipalType ?? "User",
            PrincipalName = request.OwnerPrincipalName ?? call.Session.Identity?.Name ?? "",
            TokenRequesterPrincipalType = "User",
            TokenRequesterPrincipalName = call.Session.Identity?.Name ?? "",
            IssueTimestampMs = Never,
            ExpiryTimestampMs = Never,
            MaxTimestampMs = Never,
        });
}
