using System.CommandLine;
using Pillarbox.ConsoleApi;
using Pillarbox.Model;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox queue …</c>: what lies in queues, and what to do about it.</summary>
internal static class QueueCommands
{
    private const string Path = "/api/v1/queues";

    public static Command Create() => new(
        "queue", "Queues: list, show, browse, create, delete, purge, rewind, pause, resume.")
    {
        List(), Show(), Browse(), Make(), Delete(), Purge(), Rewind(),
        Pause("pause", "Stop delivering; messages are still taken."), Pause("resume", "Deliver again."),
    };

    private static Argument<string> Name() => new("queue") { Description = "The queue's name." };

    private static string One(string queue) => $"{Path}/{ApiClient.Part(queue)}";

    private static Command List()
    {
        Option<string?> filter = new("--filter") { Description = "Only queues whose name holds this text." };
        var verb = new ApiVerb("list", "List queues.") { filter };
        return verb.Reads(async (api, parsed, cancellation) =>
        {
            string query = parsed.GetValue(filter) is { } text ? $"?filter={ApiClient.Part(text)}" : "";
            var queues = await api.ListAsync(Path + query, ApiJson.Default.PageQueueResource, cancellation);
            var page = new Page<QueueResource>(queues, queues.Count, 1, queues.Count);
            return new Reading(
                () => Output.Json(page, ApiJson.Default.PageQueueResource),
                () => Output.Table(
                    ["name", "address", "type", "messages#", "ready#", "in flight#", "consumers#", "state"],
                    queues.Select(Row)));
        });
    }

    private static string[] Row(QueueResource q) =>
    [
        q.Name, q.Address, TypeOf(q),
        $"{q.MessageCount}", $"{q.ReadyCount}", $"{q.InFlightCount}", $"{q.ConsumerCount}",
        q.Paused ? "paused" : "running",
    ];

    private static string TypeOf(QueueResource queue) =>
        queue.RoutingType == RoutingType.Anycast ? "anycast" : "multicast";

    private static Command Show()
    {
        Argument<string> name = Name();
        return new ApiVerb("show", "Show one queue.") { name }.Reads(async (api, parsed, cancellation) =>
        {
            QueueResource queue =
                await api.GetAsync(One(parsed.GetValue(name)!), ApiJson.Default.QueueResource, cancellation);
            return new Reading(
                () => Output.Json(queue, ApiJson.Default.QueueResource), () => Output.Fields(Fields(queue)));
        });
    }

    private static IEnumerable<(string, string)> Fields(QueueResource queue) =>
    [
        ("name", queue.Name), ("address", queue.Address), ("routing type", TypeOf(queue)),
        ("durable", YesNo(queue.Durable)), ("temporary", YesNo(queue.Temporary)),
        ("auto-created", YesNo(queue.AutoCreated)), ("paused", YesNo(queue.Paused)), ("filter", queue.Filter ?? "-"),
        ("not from", queue.NotFrom ?? "-"),
        ("stream", queue.Stream ?? "-"), ("progress", Progress(queue)),
        ("consumers max", queue.ConsumersMax < 0 ? "no limit" : $"{queue.ConsumersMax}"), ("owner", queue.Owner ?? "-"),
        ("messages", $"{queue.MessageCount}"), ("bytes", $"{queue.MessageBytes}"), ("ready", $"{queue.ReadyCount}"),
        ("in flight", $"{queue.InFlightCount}"), ("delayed", $"{queue.DelayedCount}"),
        ("oldest", queue.OldestAgeMs is { } age ? $"{TimeSpan.FromSeconds(age / 1000):c}" : "-"),
        ("consumers", $"{queue.ConsumerCount}"), ("enqueued", $"{queue.EnqueuedTotal}"),
        ("acknowledged", $"{queue.AcknowledgedTotal}"), ("expired", $"{queue.ExpiredTotal}"),
        ("dead-lettered", $"{queue.DeadLetteredTotal}"),
    ];

    private static string Progress(QueueResource queue) => queue.Progress is null ? "-"
        : string.Join(", ", queue.Progress.Select(p => $"{p.Partition}: {p.Mark}/{p.End}"));

    private static string YesNo(bool value) => value ? "yes" : "no";

    private static Command Browse()
    {
        Argument<string> name = Name();
        Option<int> max = new("--max") { Description = "How many, 1 to 500.", DefaultValueFactory = _ => 20 };
        Option<string?> selector = new("--selector") { Description = "Only messages that match this JMS selector." };
        return new ApiVerb("browse", "Look at messages without consuming them.") { name, max, selector }.Reads(
            async (api, parsed, cancellation) =>
            {
                string query = $"?max={parsed.GetValue(max)}"
                    + (parsed.GetValue(selector) is { } text ? $"&selector={ApiClient.Part(text)}" : "");
                IReadOnlyList<MessageResource> messages = await api.GetAsync(
                    $"{One(parsed.GetValue(name)!)}/messages{query}",
                    ApiJson.Default.IReadOnlyListMessageResource, cancellation);
                return new Reading(
                    () => Output.Json(messages, ApiJson.Default.IReadOnlyListMessageResource),
                    () => Output.Table(
                        ["id#", "published", "priority#", "attempts#", "state", "bytes#", "properties", "body"],
                        messages.Select(Row)));
            });
    }

    private static string[] Row(MessageResource m)
    {
        const int BodyCharsMax = 60;
        string body = m.Body ?? "";
        return
        [
            $"{m.Id}", $"{m.PublishedAt:yyyy-MM-ddTHH:mm:ssZ}", $"{m.Priority}", $"{m.DeliveryCount}", m.State,
            $"{m.PayloadBytes}", string.Join(' ', m.Properties.Select(p => $"{p.Key}={p.Value}")),
            body.Length > BodyCharsMax ? body[..BodyCharsMax] + "…" : body,
        ];
    }

    private static Command Make()
    {
        Argument<string> name = Name();
        Option<string?> address = new("--address") { Description = "The address it takes from (default: its name)." };
        Option<RoutingType?> type = new("--type") { Description = "anycast (default) or multicast." };
        Option<bool> nonDurable = new("--non-durable") { Description = "Does not survive a restart." };
        Option<string?> filter = new("--filter") { Description = "Takes only messages that match this selector." };
        Option<int?> consumersMax = new("--consumers-max") { Description = "Most consumers at once (no limit)." };
        Option<string?> stream = new("--stream") { Description = "Its messages are the records of this stream." };
        Option<string?> from = new("--from")
        {
            Description = "Where in the stream it begins: next (the default), first, last, an offset, or a time.",
        };
        var verb = new ApiVerb("create", "Make a queue.")
        {
            name, address, type, nonDurable, filter, consumersMax, stream, from,
        };
        return verb.Does((api, parsed, cancellation) => api.PutAsync(
            One(parsed.GetValue(name)!),
            new QueueCreation
            {
                Address = parsed.GetValue(address),
                RoutingType = parsed.GetValue(type),
                Durable = !parsed.GetValue(nonDurable),
                Filter = parsed.GetValue(filter),
                ConsumersMax = parsed.GetValue(consumersMax),
                Stream = parsed.GetValue(stream),
                From = parsed.GetValue(from),
            },
            ApiJson.Default.QueueCreation, cancellation));
    }

    private static Command Delete()
    {
        Argument<string> name = Name();
        Option<bool> ifUnused = new("--if-unused") { Description = "Only when it has no consumers." };
        return new ApiVerb("delete", "Delete a queue with its messages.") { name, ifUnused }.Does(
            (api, parsed, cancellation) => api.SendAsync(
                HttpMethod.Delete,
                One(parsed.GetValue(name)!) + (parsed.GetValue(ifUnused) ? "?ifUnused=true" : ""), cancellation));
    }

    private static Command Purge()
    {
        Argument<string> name = Name();
        return new ApiVerb("purge", "Remove all messages that no consumer holds.") { name }.Reads(
            async (api, parsed, cancellation) =>
            {
                string path = One(parsed.GetValue(name)!) + "/purge";
                MessagesTouched purged = await api.PostAsync(path, ApiJson.Default.MessagesTouched, cancellation);
                return new Reading(
                    () => Output.Json(purged, ApiJson.Default.MessagesTouched),
                    () => Console.WriteLine($"purged {purged.Messages}"));
            });
    }

    private static Command Rewind()
    {
        Argument<string> name = Name();
        Option<string?> to = new("--to") { Description = "first, last or next." };
        Option<long?> toOffset = new("--to-offset") { Description = "An offset." };
        Option<DateTimeOffset?> toTime = new("--to-time") { Description = "A time, such as 2030-01-31T12:00Z." };
        Option<int?> partition = new("--partition") { Description = "Only this partition (all)." };
        var verb = new ApiVerb("rewind", "Let a queue that reads a stream go on from another place.")
        {
            name, to.AcceptOnlyFromAmong("first", "last", "next"), toOffset, toTime, partition,
        };
        return verb.Does((api, parsed, cancellation) => api.SendAsync(
            HttpMethod.Post,
            One(parsed.GetValue(name)!) + "/rewind",
            new QueueRewind
            {
                To = parsed.GetValue(to),
                ToOffset = parsed.GetValue(toOffset),
                ToTime = parsed.GetValue(toTime),
                Partition = parsed.GetValue(partition),
            },
            ApiJson.Default.QueueRewind, cancellation));
    }

    private static Command Pause(string verb, string description)
    {
        Argument<string> name = Name();
        return new ApiVerb(verb, description) { name }.Does((api, parsed, cancellation) =>
            api.SendAsync(HttpMethod.Post, $"{One(parsed.GetValue(name)!)}/{verb}", cancellation));
    }
}
