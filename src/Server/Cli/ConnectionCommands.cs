using System.CommandLine;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox connection …</c></summary>
internal static class ConnectionCommands
{
    private const string Path = "/api/v1/connections";

    public static Command Create() => new("connection", "Connections: list, close.") { List(), Close() };

    private static Command List() => new ApiVerb("list", "List connections.").Reads(async (api, _, cancellation) =>
    {
        var connections = await api.ListAsync(Path, ApiJson.Default.PageConnectionResource, cancellation);
        var page = new Page<ConnectionResource>(connections, connections.Count, 1, connections.Count);
        string[] headings = ["id", "client", "user", "protocol", "from", "consumers#", "producers#", "since"];
        return new Reading(
            () => Output.Json(page, ApiJson.Default.PageConnectionResource),
            () => Output.Table(headings, connections.Select(Row)));
    });

    private static string[] Row(ConnectionResource c) =>
    [
        c.Id, c.ClientId, c.User, c.Protocol, c.RemoteEndPoint, $"{c.Consumers}", $"{c.Producers}",
        $"{c.Since:yyyy-MM-ddTHH:mm:ssZ}",
    ];

    private static Command Close()
    {
        Argument<string> id = new("id") { Description = "The connection's id, as list prints it." };
        return new ApiVerb("close", "Ask a connection to close.") { id }.Does((api, parsed, cancellation) =>
            api.SendAsync(HttpMethod.Delete, $"{Path}/{ApiClient.Part(parsed.GetValue(id)!)}", cancellation));
    }
}
