using System.CommandLine;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox consumer …</c></summary>
internal static class ConsumerCommands
{
    private const string Path = "/api/v1/consumers";

    public static Command Create() => new("consumer", "Consumers: list.") { List() };

    private static Command List()
    {
        Option<string?> queue = new("--queue") { Description = "Only this queue's." };
        return new ApiVerb("list", "List consumers.") { queue }.Reads(async (api, parsed, cancellation) =>
        {
            string query = parsed.GetValue(queue) is { } name ? $"?queue={ApiClient.Part(name)}" : "";
            var consumers = await api.ListAsync(Path + query, ApiJson.Default.PageConsumerResource, cancellation);
            var page = new Page<ConsumerResource>(consumers, consumers.Count, 1, consumers.Count);
            string[] headings =
                ["queue", "connection", "name", "credit#", "in flight#", "delivered#", "priority#", "selector"];
            return new Reading(
                () => Output.Json(page, ApiJson.Default.PageConsumerResource),
                () => Output.Table(headings, consumers.Select(Row)));
        });
    }

    private static string[] Row(ConsumerResource c) =>
    [
        c.Queue, c.ConnectionId, c.Name, $"{c.Credit}", $"{c.InFlight}", $"{c.DeliveredTotal}", $"{c.Priority}",
        c.Selector ?? (c.Browse ? "(browser)" : ""),
    ];
}
