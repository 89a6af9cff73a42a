using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>JoinGroup: answered when the group is complete. The leader learns of all members.</summary>
internal static class JoinGroupApi
{
    public static async ValueTask<JoinGroupResponse?> HandleAsync(ApiCall call, JoinGroupRequest request)
    {
        KafkaSession session = call.Session;
        if (!session.MayJoin(request.GroupId))
        {
            return new JoinGroupResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        var join = new JoinRequest
        {
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            Client = new GroupClient(call.Header.ClientId, session.Peer.ClientHost),
            SessionTimeoutMs = request.SessionTimeoutMs,
            RebalanceTimeoutMs = call.Version == 0 ? request.SessionTimeoutMs : request.RebalanceTimeoutMs,
            ProtocolType = request.ProtocolType,
            Protocols = Array.ConvertAll(request.Protocols, p => new MemberProtocol(p.Name, p.Metadata)),
            RequiresKnownMemberId = call.Version >= 4,
            MaySkipAssignment = call.Version >= 9,
        };
        JoinResult joined = await session.AskAsync<JoinResult>((all, done) => all.Groups.Join(join, done));
        return new JoinGroupResponse
        {
            ErrorCode = joined.Error.Code(),
            GenerationId = joined.Generation,
            ProtocolType = joined.ProtocolType,
            ProtocolName = joined.ProtocolName,
            Leader = joined.LeaderId,
            SkipAssignment = joined.SkipAssignment,
            MemberId = joined.MemberId,
            Members =
            [
                .. joined.Members.Select(m => new JoinGroupResponse.JoinGroupResponseMember
                {
                    MemberId = m.MemberId,
                    GroupInstanceId = m.InstanceId,
                    Metadata = m.Metadata,
                }),
            ],
        };
    }
}
