using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DeleteGroups: forgets groups without members, with their offsets.</summary>
internal static class DeleteGroupsApi
{
    public static async ValueTask<DeleteGroupsResponse?> HandleAsync(ApiCall call, DeleteGroupsRequest request)
    {
        var results = new DeleteGroupsResponse.DeletableGroupResult[request.GroupsNames.Length];
        for (int i = 0; i < results.Length; i++)
        {
            string group = request.GroupsNames[i];
            PlainResult result = call.Session.MayDeleteGroup(group)
                ? await call.Session.AskAsync<PlainResult>((all, done) => all.Groups.Delete(group, done))
                : PlainResult.Of(Coordination.NoPermissionOnGroup);
            results[i] = new() { GroupId = group, ErrorCode = result.Error.Code() };
        }

        return new DeleteGroupsResponse { Results = results };
    }
}
