using System.Diagnostics.Metrics;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Quotas;
using Pillarbox.Storage;

namespace Pillarbox.Broker;

/// <summary>The meter <c>Pillarbox.Broker</c>: figures that are kept anyway, read when somebody listens.</summary>
internal sealed class BrokerMetrics : IDisposable
{
    public const string MeterName = "Pillarbox.Broker";

    private readonly Meter _meter = new(MeterName);
    private readonly BrokerServices _services;

    public BrokerMetrics(BrokerServices services, Func<int> connections, Func<IEnumerable<OffsetsView>> offsets)
    {
        _services = services;
        _meter.CreateObservableGauge("pillarbox.connections", connections);
        _meter.CreateObservableGauge("pillarbox.queue.messages", () => PerQueue(QueueInspection.MessagesOf));
        _meter.CreateObservableGauge("pillarbox.queue.bytes", () => PerQueue(c => Volatile.Read(ref c.Bytes)), "By");
        _meter.CreateObservableGauge("pillarbox.queue.in_flight", () => PerQueue(c => Volatile.Read(ref c.InFlight)));
        _meter.CreateObservableCounter(
            "pillarbox.queue.enqueued", () => PerQueue(c => Volatile.Read(ref c.EnqueuedTotal)));
        _meter.CreateObservableCounter(
            "pillarbox.queue.acknowledged", () => PerQueue(c => Volatile.Read(ref c.AcknowledgedTotal)));
        _meter.CreateObservableCounter(
            "pillarbox.queue.expired", () => PerQueue(c => Volatile.Read(ref c.ExpiredTotal)));
        _meter.CreateObservableCounter(
            "pillarbox.queue.dead_lettered", () => PerQueue(c => Volatile.Read(ref c.DeadLetteredTotal)));
        _meter.CreateObservableCounter(
            "pillarbox.queue.dropped", () => PerQueue(c => Volatile.Read(ref c.DroppedTotal)));
        _meter.CreateObservableCounter(
            "pillarbox.delivered", () => _services.Shards.Sum(shard => shard.DeliveredTotal));
        _meter.CreateObservableCounter("pillarbox.records.damaged", () => _services.DamagedRecords);
        _meter.CreateObservableCounter("pillarbox.quota.throttled", () => PerQuota(view => view.Count));
        _meter.CreateObservableCounter("pillarbox.quota.throttle_time", () => PerQuota(view => view.TotalMs), "ms");
        _meter.CreateObservableGauge("pillarbox.group.offsets", () => PerSpace(offsets(), o => o.Bytes), "By");
        _meter.CreateObservableCounter(
            "pillarbox.group.offsets.refused", () => PerSpace(offsets(), o => o.RefusedTotal));
        _meter.CreateObservableGauge("pillarbox.quarantine", () => _services.Damage.Store.Bytes, "By");
        _meter.CreateObservableCounter(
            "pillarbox.quarantine.dropped", () => _services.Damage.Store.DroppedTotal);
        _meter.CreateObservableGauge("pillarbox.journal.pending", () => _services.Journal.PendingBytes, "By");
        _meter.CreateObservableGauge(
            "pillarbox.journal.full", () => _services.Journal.SpaceState == SpaceState.Full ? 1 : 0);
    }

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> PerQuota(Func<ThrottleView, long> read) =>
        _services.Quotas.Throttles().Select(view => new Measurement<long>(
            read(view),
            new KeyValuePair<string, object?>("address_space", view.AddressSpace),
            new KeyValuePair<string, object?>("quota", QuotaNames.Of(view.Kind))));

    private static IEnumerable<Measurement<long>> PerSpace(
        IEnumerable<OffsetsView> views, Func<OffsetsView, long> read) =>
        views.Select(view => new Measurement<long>(
            read(view), new KeyValuePair<string, object?>("address_space", view.AddressSpace)));

    private IEnumerable<Measurement<long>> PerQueue(Func<QueueCounters, long> read) =>
        PerQueue((Queue queue) => read(queue.Counters));

    private IEnumerable<Measurement<long>> PerQueue(Func<Queue, long> read)
    {
        foreach (AddressSpace space in _services.Spaces.All)
        {
            foreach (Queue queue in space.Queues)
            {
                yield return new Measurement<long>(
                    read(queue),
                    new KeyValuePair<string, object?>("address_space", space.Name),
                    new KeyValuePair<string, object?>("queue", queue.Config.Name));
            }
        }
    }
}
