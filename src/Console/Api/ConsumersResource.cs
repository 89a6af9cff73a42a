using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/consumers</c>: list.</summary>
internal static class ConsumersResource
{
    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/consumers", "Consumers by queue and connection.", ListAsync)
        {
            Answer = ApiJson.Default.PageConsumerResource,
            Query = [.. Paging.Parameters, new("queue", "string", "Only this queue's.")],
        },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        IReadOnlyList<ConsumerView> consumers =
            await request.Management.ListConsumersAsync(request.Who, request.Space, request.Text("queue"));
        Page<ConsumerResource> page =
            Paging.Cut(request, consumers, c => $"{c.Queue} {c.ConnectionId} {c.Name}", Show);
        await request.AnswerAsync(page, ApiJson.Default.PageConsumerResource);
    }

    private static ConsumerResource Show(ConsumerView consumer) => new()
    {
        ConnectionId = consumer.ConnectionId,
        Queue = consumer.Queue,
        Name = consumer.Name,
        Selector = consumer.Selector,
        Browse = consumer.Browse,
        Priority = consumer.Priority,
        Credit = consumer.Credit,
        InFlight = consumer.InFlight,
        DeliveredTotal = consumer.DeliveredTotal,
    };
}
