using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>LeaveGroup: one member before version 3, several at once from there on.</summary>
internal static class LeaveGroupApi
{
    public static async ValueTask<LeaveGroupResponse?> HandleAsync(ApiCall call, LeaveGroupRequest request)
    {
        if (!call.Session.MayJoin(request.GroupId))
        {
            return new LeaveGroupResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        LeavingMember[] leaving = call.Version < 3
            ? [new LeavingMember(request.MemberId, null)]
            : Array.ConvertAll(request.Members, m => new LeavingMember(m.MemberId, m.GroupInstanceId));
        LeaveResult left = await call.Session.AskAsync<LeaveResult>(
            (all, done) => all.Groups.Leave(request.GroupId, leaving, done));
        bool single = call.Version < 3 && left.Error == CoordinatorError.None && left.Members.Count > 0;
        return new LeaveGroupResponse
        {
            ErrorCode = single ? left.Members[0].Code() : left.Error.Code(),
            Members =
            [
                .. left.Members.Select((error, i) => new LeaveGroupResponse.MemberResponse
                {
                    MemberId = leaving[i].MemberId,
                    GroupInstanceId = leaving[i].InstanceId,
                    ErrorCode = error.Code(),
                }),
            ],
        };
    }
}
