using System.Globalization;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ListConfigResources: what has settings. Version 0 asks for client metrics only, of which there are none.
/// </summary>
internal static class ListConfigResourcesApi
{
    public static async ValueTask<ListConfigResourcesResponse?> HandleAsync(
        ApiCall call, ListConfigResourcesRequest request)
    {
        KafkaSession session = call.Session;
        var found = new List<ListConfigResourcesResponse.ConfigResource>();
        bool all = call.Version > 0 && request.ResourceTypes.Length == 0;
        if (all || request.ResourceTypes.Contains(ConfigResources.Topic))
        {
            found.AddRange(session.Streams.All.Where(s => session.MaySee(s.Name))
                .Select(s => Resource(s.Name, ConfigResources.Topic)));
        }

        if (all || request.ResourceTypes.Contains(ConfigResources.Broker))
        {
            found.Add(Resource(session.NodeId.ToString(CultureInfo.InvariantCulture), ConfigResources.Broker));
        }

        if ((all || request.ResourceTypes.Contains(ConfigResources.Group))
            && StreamCoordinators.AreInUse(session.Streams))
        {
            IReadOnlyList<string> groups = await session.AskAsync<IReadOnlyList<string>>(
                (coordinators, done) => coordinators.Groups.ListConfigs(done));
            found.AddRange(groups.Where(session.MaySeeGroup).Select(g => Resource(g, ConfigResources.Group)));
        }

        return new ListConfigResourcesResponse { ConfigResources = [.. found] };
    }

    private static ListConfigResourcesResponse.ConfigResource Resource(string name, sbyte type) =>
        new() { ResourceName = name, ResourceType = type };
}
