using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>SyncGroup: the leader brings what each member gets; every member takes its own.</summary>
internal static class SyncGroupApi
{
    public static async ValueTask<SyncGroupResponse?> HandleAsync(ApiCall call, SyncGroupRequest request)
    {
        if (!call.Session.MayJoin(request.GroupId))
        {
            return new SyncGroupResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        var sync = new SyncRequest
        {
            Member = new(request.GroupId, request.GenerationId, request.MemberId, request.GroupInstanceId),
            ProtocolType = request.ProtocolType,
            ProtocolName = request.ProtocolName,
            Assignments = Array.ConvertAll(request.Assignments, a => (a.MemberId, a.Assignment)),
        };
        SyncResult result = await call.Session.AskAsync<SyncResult>((all, done) => all.Groups.Sync(sync, done));
        return new SyncGroupResponse
        {
            ErrorCode = result.Error.Code(),
            ProtocolType = result.ProtocolType,
            ProtocolName = result.ProtocolName,
            Assignment = result.Assignment,
        };
    }
}
