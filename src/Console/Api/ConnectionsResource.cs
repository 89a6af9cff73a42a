using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/connections</c>: list, close.</summary>
internal static class ConnectionsResource
{
    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/connections", "Connections by id.", ListAsync)
        {
            Answer = ApiJson.Default.PageConnectionResource,
            Query = Paging.Parameters,
        },
        new("DELETE", "/api/v1/connections/{connection}", "Asks a connection to close.", CloseAsync) { Status = 204 },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        IReadOnlyList<ConnectionView> connections = await request.Management.ListConnectionsAsync(request.Who);
        Page<ConnectionResource> page = Paging.Cut(request, connections, c => $"{c.Id} {c.ClientId} {c.User}", Show);
        await request.AnswerAsync(page, ApiJson.Default.PageConnectionResource);
    }

    private static async Task CloseAsync(ApiRequest request)
    {
        await request.Management.CloseConnectionAsync(request.Who, request.Segment("connection"));
        await request.AnswerAsync();
    }

    private static ConnectionResource Show(ConnectionView connection) => new()
    {
        Id = connection.Id,
        Protocol = connection.Protocol,
        ClientId = connection.ClientId,
        User = connection.User,
        RemoteEndPoint = connection.RemoteEndPoint,
        Consumers = connection.Consumers,
        Producers = connection.Producers,
        Since = DateTimeOffset.FromUnixTimeMilliseconds(connection.SinceMs),
    };
}
