using Microsoft.AspNetCore.Http;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Quotas;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// <c>/metrics</c>: the node's, its addresses' and its queues' figures in Prometheus' text format. Queues also under
/// the names that
/// Artemis dashboards know. One sample at a time goes into the response; large nodes are flushed in between.
/// </summary>
internal static class MetricsResource
{
    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/metrics", "Figures in Prometheus' text format.", WriteAsync) { MediaType = "text/plain" },
    ];

    private static readonly Metric<QueueView>[] QueueMetrics =
    [
        new("pillarbox_queue_messages", "gauge", "Messages in the queue.", q => q.MessageCount),
        new("pillarbox_queue_message_bytes", "gauge", "Bytes of the messages in the queue.", q => q.MessageBytes),
        new("pillarbox_queue_ready_messages", "gauge", "Messages that a consumer can have now.", q => q.ReadyCount),
        new("pillarbox_queue_in_flight_messages", "gauge", "Messages that consumers hold.", q => q.InFlightCount),
        new("pillarbox_queue_delayed_messages", "gauge", "Messages that wait for their time.", q => q.DelayedCount),
        new("pillarbox_queue_consumers", "gauge", "Consumers of the queue.", q => q.ConsumerCount),
        new("pillarbox_queue_enqueued_total", "counter", "Messages that came.", q => q.EnqueuedTotal),
        new("pillarbox_queue_acknowledged_total", "counter", "Messages consumed.", q => q.AcknowledgedTotal),
        new("pillarbox_queue_expired_total", "counter", "Messages expired.", q => q.ExpiredTotal),
        new("pillarbox_queue_dead_lettered_total", "counter", "Messages dead-lettered.", q => q.DeadLetteredTotal),
        new("artemis_message_count", "gauge", "Messages in the queue.", q => q.MessageCount),
        new("artemis_delivering_message_count", "gauge", "Messages that consumers hold.", q => q.InFlightCount),
        new("artemis_consumer_count", "gauge", "Consumers of the queue.", q => q.ConsumerCount),
        new("artemis_messages_added", "gauge", "Messages that came.", q => q.EnqueuedTotal),
        new("artemis_messages_acknowledged", "gauge", "Messages consumed.", q => q.AcknowledgedTotal),
    ];

    private static readonly Metric<AddressView>[] AddressMetrics =
    [
        new("pillarbox_address_routed_total", "counter", "Messages that reached a queue.", a => a.RoutedTotal),
        new("pillarbox_address_unrouted_total", "counter", "Messages that no queue took.", a => a.UnroutedTotal),
        new("pillarbox_address_blocked", "gauge", "1 while producers are held back.", a => a.Blocked ? 1 : 0),
    ];

    private static readonly Metric<ThrottleView>[] QuotaMetrics =
    [
        new("pillarbox_quota_throttled_total", "counter", "How often clients were held back.", q => q.Count),
        new("pillarbox_quota_throttled_milliseconds_total", "counter", "For how long, added up.", q => q.TotalMs),
    ];

    private static readonly Metric<OffsetsView>[] OffsetMetrics =
    [
        new("pillarbox_group_offsets_bytes", "gauge", "Memory that committed offsets take.", o => o.Bytes),
        new("pillarbox_group_offsets_bytes_max", "gauge", "As much as they may take.", o => o.BytesMax),
        new("pillarbox_group_offsets_refused_total", "counter", "Offsets refused for want of room.",
            o => o.RefusedTotal),
    ];

    private static async Task WriteAsync(ApiRequest request)
    {
        request.RequireView();
        NodeView node = await request.Management.GetNodeAsync();
        var queues = new List<QueueView>();
        var addresses = new List<AddressView>();
        var streams = new List<StreamView>();
        var groups = new List<GroupView>();
        foreach (string space in request.Management.ListSpaces(request.Who))
        {
            queues.AddRange(await request.Management.ListQueuesAsync(request.Who, space));
            addresses.AddRange(await request.Management.ListAddressesAsync(request.Who, space));
            streams.AddRange(request.Services.Broker.StreamManagement.List(request.Who, space)
                .Where(stream => !stream.IsInternal));
            groups.AddRange(await request.Services.Broker.GroupManagement.ListAsync(request.Who, space));
        }

        HttpResponse response = request.Context.Response;
        response.ContentType = MetricsText.MediaType;
        var text = new MetricsText(response.BodyWriter);
        WriteNode(text, node, request.Services.Health);
        ProcessMetrics.Write(text);
        if (request.Services.Router is { } router)
        {
            RouterMetrics.Write(text, router());
        }

        await Metric<AddressView>.WriteAllAsync(response.BodyWriter, text, AddressMetrics, addresses, a =>
            MetricsText.Label(("address_space", a.AddressSpace), ("address", a.Name)));
        IReadOnlyList<ThrottleView> throttles = request.Management.ListThrottles(request.Who);
        await Metric<ThrottleView>.WriteAllAsync(response.BodyWriter, text, QuotaMetrics, throttles, q =>
            MetricsText.Label(("address_space", q.AddressSpace), ("quota", QuotaNames.Of(q.Kind))));
        long nowMs = request.Services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Metric<QueueView>[] metrics = [.. QueueMetrics, OldestAge(nowMs)];
        await Metric<QueueView>.WriteAllAsync(response.BodyWriter, text, metrics, queues, q => MetricsText.Label(
            ("address_space", q.AddressSpace), ("address", q.Config.Address), ("queue", q.Config.Name)));
        await StreamMetrics.WriteAsync(response.BodyWriter, text, streams, groups);
        IReadOnlyList<OffsetsView> offsets = request.Services.Broker.GroupManagement.ListOffsetMemory(request.Who);
        await Metric<OffsetsView>.WriteAllAsync(response.BodyWriter, text, OffsetMetrics, offsets, o =>
            MetricsText.Label(("address_space", o.AddressSpace)));
        await response.BodyWriter.FlushAsync();
    }

    private static Metric<QueueView> OldestAge(long nowMs) => new(
        "pillarbox_queue_oldest_message_age_seconds", "gauge", "Age of the oldest message; 0: the queue is empty.",
        q => q.OldestPublishedAtMs is { } published ? Math.Max(0, nowMs - published) / 1000 : 0);

    private static void WriteNode(MetricsText text, NodeView node, INodeHealth health)
    {
        text.Begin("pillarbox_build_info", "gauge", "1, with the version as a label.");
        text.Sample(MetricsText.Label(("version", node.Version)), 1);
        bool up = health is { Started: true, Stopping: false };
        text.Single("pillarbox_started", "gauge", "1 when the node is up and not stopping.", up ? 1 : 0);
        long started = node.StartedAtMs / 1000;
        text.Single("pillarbox_start_time_seconds", "gauge", "When the node started, Unix time.", started);
        text.Single("pillarbox_connections", "gauge", "Connections.", node.Connections);
        text.Single("pillarbox_queues", "gauge", "Queues.", node.Queues);
        text.Single("pillarbox_addresses", "gauge", "Addresses.", node.Addresses);
        text.Single("pillarbox_messages", "gauge", "Messages in all queues.", node.Messages);
        text.Single("pillarbox_journal_bytes", "gauge", "Bytes of the journal on disk.", node.JournalBytes);
        text.Single("pillarbox_journal_segments", "gauge", "Segment files of the journal.", node.JournalSegments);
        text.Single("pillarbox_disk_full", "gauge", "1 while the disk takes no more messages.", node.DiskFull ? 1 : 0);
        text.Single("pillarbox_storage_failed", "gauge", "1 after a write failed.", node.StorageFailed ? 1 : 0);
        text.Single("pillarbox_damaged_records_total", "counter", "Damaged records found.", node.DamagedRecords);
        text.Single("pillarbox_quarantine_bytes", "gauge", "Damaged bytes that are kept.", node.QuarantineBytes);
        text.Single(
            "pillarbox_quarantine_dropped_total", "counter", "Kept damage that went for newer.",
            node.QuarantineDroppedTotal);
        text.Single("pillarbox_published_total", "counter", "Messages published.", node.PublishedTotal);
        text.Single("pillarbox_delivered_total", "counter", "Deliveries to consumers.", node.DeliveredTotal);
        text.Single("pillarbox_acknowledged_total", "counter", "Messages consumed.", node.AcknowledgedTotal);
        text.Single("artemis_connection_count", "gauge", "Connections.", node.Connections);
    }
}
