using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreateAclsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreateAclsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// CreateAcls: rules of the node's one authorizer, so they count for every protocol; on disk when they are answered.
/// What cannot be mapped is refused.
/// </summary>
internal static class CreateAclsApi
{
    public static ValueTask<CreateAclsResponse?> HandleAsync(ApiCall call, CreateAclsRequest request) =>
        new(new CreateAclsResponse
        {
            Results = Array.ConvertAll(request.Creations, wanted =>
            {
                (ErrorCode error, string? message) = Create(call.Session, wanted);
                return new AclCreationResult { ErrorCode = (short)error, ErrorMessage = message };
            }),
        });

    private static (ErrorCode Error, string? Message) Create(KafkaSession session, AclCreation wanted)
    {
        if (AclChecks.Check(session, AclChecks.Change) is var refusal && refusal != ErrorCode.None)
        {
            return (refusal, null);
        }

        var acl = new Acl(
            wanted.ResourceType, wanted.ResourceName, wanted.ResourcePatternType, wanted.Principal, wanted.Host,
            wanted.Operation, wanted.PermissionType);
        return Acls.Read(acl, out AccessRule? rule) is { } fault
            ? (ErrorCode.InvalidRequest, fault)
            : AclChecks.Guard(() => session.Environment.Broker.Authorizer.Rules.Add(
                session.GrantOnCluster(AclChecks.Change), [rule!]));
    }
}
