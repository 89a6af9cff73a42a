using System.CommandLine;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox node …</c></summary>
internal static class NodeCommands
{
    public static Command Create() => new("node", "The node: show.") { Show() };

    private static Command Show() => new ApiVerb("show", "Show the node's figures.").Reads(async (api, _, stop) =>
    {
        NodeResourceView node = await api.GetAsync("/api/v1/node", ApiJson.Default.NodeResourceView, stop);
        return new Reading(
            () => Output.Json(node, ApiJson.Default.NodeResourceView),
            () => Output.Fields(
            [
                ("version", node.Version), ("state", node.State), ("started", $"{node.StartedAt:yyyy-MM-ddTHH:mm:ssZ}"),
                ("connections", $"{node.Connections}"), ("addresses", $"{node.Addresses}"),
                ("queues", $"{node.Queues}"), ("messages", $"{node.Messages}"),
                ("journal bytes", $"{node.JournalBytes}"), ("journal segments", $"{node.JournalSegments}"),
                ("disk", node.StorageFailed ? "failed" : node.DiskFull ? "full" : "good"),
                ("damaged records", $"{node.DamagedRecords}"), ("published", $"{node.PublishedTotal}"),
                ("delivered", $"{node.DeliveredTotal}"), ("acknowledged", $"{node.AcknowledgedTotal}"),
            ]));
    });
}
