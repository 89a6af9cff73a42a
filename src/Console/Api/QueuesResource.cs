using Pillarbox.Broker;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/queues</c>: list, show, make, delete, purge, pause.</summary>
internal static class QueuesResource
{
    private const string One = "/api/v1/queues/{queue}";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/queues", "Queues by name.", ListAsync)
        {
            Answer = ApiJson.Default.PageQueueResource,
            Query = Paging.Parameters,
        },
        new("GET", One, "One queue.", ShowAsync) { Answer = ApiJson.Default.QueueResource },
        new("PUT", One, "Makes a queue; one with the same settings may exist.", CreateAsync)
        {
            Body = ApiJson.Default.QueueCreation,
            Status = 204,
        },
        new("DELETE", One, "Deletes a queue with its messages.", DeleteAsync)
        {
            Status = 204,
            Query = [new("ifUnused", "boolean", "Only when it has no consumers.")],
        },
        new("POST", One + "/purge", "Removes all messages that no consumer holds.", PurgeAsync)
        {
            Answer = ApiJson.Default.MessagesTouched,
        },
        new("POST", One + "/pause", "Stops delivering; messages are still taken.", r => PauseAsync(r, true))
        {
            Status = 204,
        },
        new("POST", One + "/rewind", "A queue that reads a stream goes on from another place.", RewindAsync)
        {
            Body = ApiJson.Default.QueueRewind,
            Status = 204,
        },
        new("POST", One + "/resume", "Delivers again.", r => PauseAsync(r, false)) { Status = 204 },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        IReadOnlyList<QueueView> queues = await request.Management.ListQueuesAsync(request.Who, request.Space);
        long nowMs = request.Services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Page<QueueResource> page = Paging.Cut(request, queues, q => q.Config.Name, q => Show(q, nowMs));
        await request.AnswerAsync(page, ApiJson.Default.PageQueueResource);
    }

    private static async Task ShowAsync(ApiRequest request)
    {
        string name = request.Segment("queue");
        QueueView queue = await request.Management.FindQueueAsync(request.Who, request.Space, name)
            ?? throw NotFound(name);
        long nowMs = request.Services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        await request.AnswerAsync(Show(queue, nowMs), ApiJson.Default.QueueResource);
    }

    private static async Task CreateAsync(ApiRequest request)
    {
        string name = request.Segment("queue");
        QueueCreation wanted = await request.BodyAsync(ApiJson.Default.QueueCreation);
        await request.Management.CreateQueueAsync(request.Who, request.Space, ConfigOf(name, wanted));
        await request.AnswerAsync();
    }

    private static QueueConfig ConfigOf(string name, QueueCreation wanted)
    {
        string address = wanted.Address ?? wanted.Stream ?? name;
        if (AddressName.Check(address, "address") is { } error)
        {
            throw ApiRequest.Invalid(error);
        }

        if (wanted.ConsumersMax is not (null or -1 or > 0))
        {
            throw ApiRequest.Invalid("consumersMax must be -1 (no limit) or at least 1");
        }

        StreamStart? start = wanted.From is null ? StreamStart.Next : StreamStart.Parse(wanted.From);
        return new QueueConfig
        {
            Name = name,
            Address = address,
            Stream = wanted.Stream,
            StreamStart = start ?? throw ApiRequest.Invalid("from is next, first, last, an offset or a time"),
            RoutingType = wanted.RoutingType ?? RoutingType.Anycast,
            Durable = wanted.Durable ?? true,
            Filter = wanted.Filter,
            ConsumersMax = wanted.ConsumersMax ?? -1,
            NonDestructive = wanted.NonDestructive ?? false,
        };
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        string name = request.Segment("queue");
        await request.Management.DeleteQueueAsync(request.Who, request.Space, name, request.Flag("ifUnused"));
        await request.AnswerAsync();
    }

    private static async Task PurgeAsync(ApiRequest request)
    {
        string name = request.Segment("queue");
        long purged = await request.Management.PurgeAsync(request.Who, request.Space, name);
        await request.AnswerAsync(new MessagesTouched(purged), ApiJson.Default.MessagesTouched);
    }

    private static async Task RewindAsync(ApiRequest request)
    {
        QueueRewind wanted = await request.BodyAsync(ApiJson.Default.QueueRewind);
        StreamStart? start = (wanted.To, wanted.ToOffset, wanted.ToTime) switch
        {
            ("first" or "last" or "next", null, null) => StreamStart.Parse(wanted.To),
            (null, >= 0 and { } offset, null) => StreamStart.AtOffset(offset),
            (null, null, { } time) => StreamStart.AtTime(time.ToUnixTimeMilliseconds()),
            _ => null,
        };
        await request.Management.RewindQueueAsync(
            request.Who, request.Space, request.Segment("queue"),
            start ?? throw ApiRequest.Invalid(
                "give one of: to (first, last or next), toOffset (0 or more), toTime (ISO 8601)"),
            wanted.Partition);
        await request.AnswerAsync();
    }

    private static async Task PauseAsync(ApiRequest request, bool paused)
    {
        string name = request.Segment("queue");
        await request.Management.SetPausedAsync(request.Who, request.Space, name, paused);
        await request.AnswerAsync();
    }

    public static BrokerException NotFound(string queue) => new(BrokerError.NotFound, $"there is no queue '{queue}'");

    private static QueueResource Show(QueueView queue, long nowMs) => new()
    {
        Name = queue.Config.Name,
        Address = queue.Config.Address,
        RoutingType = queue.Config.RoutingType,
        Durable = queue.Config.Durable,
        Temporary = queue.Config.Temporary,
        AutoCreated = queue.Config.AutoCreated,
        Paused = queue.Paused,
        Filter = queue.Config.Filter,
        NotFrom = queue.Config.NotFrom,
        Stream = queue.Config.Stream,
        Progress = queue.Progress is null ? null
            : [.. queue.Progress.Select(p => new QueueProgressResource(
                p.Partition, p.Mark, p.SettledAbove, p.End, p.Backlog))],
        ConsumersMax = queue.Config.ConsumersMax,
        NonDestructive = queue.Config.NonDestructive,
        Owner = queue.Config.Owner,
        MessageCount = queue.MessageCount,
        MessageBytes = queue.MessageBytes,
        ReadyCount = queue.ReadyCount,
        InFlightCount = queue.InFlightCount,
        DelayedCount = queue.DelayedCount,
        ConsumerCount = queue.ConsumerCount,
        EnqueuedTotal = queue.EnqueuedTotal,
        AcknowledgedTotal = queue.AcknowledgedTotal,
        ExpiredTotal = queue.ExpiredTotal,
        DeadLetteredTotal = queue.DeadLetteredTotal,
        OldestAgeMs = queue.OldestPublishedAtMs is { } published ? Math.Max(0, nowMs - published) : null,
    };
}
