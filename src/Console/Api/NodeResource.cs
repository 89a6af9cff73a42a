using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/node</c>: the node's own figures.</summary>
internal static class NodeResource
{
    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/node", "The node's version, state and figures.", ShowAsync)
        {
            Answer = ApiJson.Default.NodeResourceView,
        },
    ];

    private static async Task ShowAsync(ApiRequest request)
    {
        request.RequireView();
        NodeView node = await request.Management.GetNodeAsync();
        INodeHealth health = request.Services.Health;
        await request.AnswerAsync(Show(node, health), ApiJson.Default.NodeResourceView);
    }

    private static NodeResourceView Show(NodeView node, INodeHealth health) => new()
    {
        Version = node.Version,
        StartedAt = DateTimeOffset.FromUnixTimeMilliseconds(node.StartedAtMs),
        State = health.Stopping ? "stopping" : health.Started ? "started" : "starting",
        Connections = node.Connections,
        Queues = node.Queues,
        Addresses = node.Addresses,
        Messages = node.Messages,
        JournalBytes = node.JournalBytes,
        JournalSegments = node.JournalSegments,
        DiskFull = node.DiskFull,
        StorageFailed = node.StorageFailed,
        DamagedRecords = node.DamagedRecords,
        QuarantineBytes = node.QuarantineBytes,
        QuarantineDroppedTotal = node.QuarantineDroppedTotal,
        PublishedTotal = node.PublishedTotal,
        DeliveredTotal = node.DeliveredTotal,
        AcknowledgedTotal = node.AcknowledgedTotal,
    };
}
