using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ListGroups: the groups that the client may see, filtered by state and type.</summary>
internal static class ListGroupsApi
{
    public static async ValueTask<ListGroupsResponse?> HandleAsync(ApiCall call, ListGroupsRequest request)
    {
        KafkaSession session = call.Session;
        IReadOnlyList<GroupListing> all = await session.AskAsync<IReadOnlyList<GroupListing>>(
            (coordinators, done) => coordinators.Groups.List(done));
        HashSet<string> states = new(request.StatesFilter, StringComparer.OrdinalIgnoreCase);
        HashSet<string> types = new(request.TypesFilter, StringComparer.OrdinalIgnoreCase);
        return new ListGroupsResponse
        {
            Groups =
            [
                .. all.Where(g => session.MaySeeGroup(g.GroupId))
                    .Where(g => IsWanted(states, g.State))
                    .Where(g => IsWanted(types, TypeName(g.Type)))
                    .Select(g => new ListGroupsResponse.ListedGroup
                    {
                        GroupId = g.GroupId,
                        ProtocolType = g.ProtocolType,
                        GroupState = g.State,
                        GroupType = TypeName(g.Type),
                    }),
            ],
        };
    }

    private static bool IsWanted(HashSet<string> filter, string value) => filter.Count == 0 || filter.Contains(value);

    private static string TypeName(GroupType type) => type switch
    {
        GroupType.Consumer => "consumer",
        GroupType.Share => "share",
        _ => "classic",
    };
}
