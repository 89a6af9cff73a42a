using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>Heartbeat: a member of a classic group lives, and hears whether it has to join again.</summary>
internal static class HeartbeatApi
{
    public static async ValueTask<HeartbeatResponse?> HandleAsync(ApiCall call, HeartbeatRequest request)
    {
        if (!call.Session.MayJoin(request.GroupId))
        {
            return new HeartbeatResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        var member = new GroupMemberRef(
            request.GroupId, request.GenerationId, request.MemberId, request.GroupInstanceId);
        PlainResult result = await call.Session.AskAsync<PlainResult>(
            (all, done) => all.Groups.Heartbeat(member, done));
        return new HeartbeatResponse { ErrorCode = result.Error.Code() };
    }
}
