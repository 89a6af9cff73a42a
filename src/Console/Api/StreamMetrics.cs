using System.IO.Pipelines;
using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// The figures of streams and groups for <c>/metrics</c>. The number of samples is bounded: beyond it the last streams,
/// partitions and groups by name have none, and how many is said.
/// </summary>
internal static class StreamMetrics
{
    /// <summary>Streams with samples of their own.</summary>
    public const int StreamsMax = 2000;

    /// <summary>Partitions, of all streams together, with samples of their own. A stream has all of its own or
    /// none.</summary>
    public const int PartitionsMax = 2000;

    /// <summary>Pairs of a group and a stream with samples of their own.</summary>
    public const int GroupStreamsMax = 2000;

    private static readonly Metric<StreamView>[] OfStreams =
    [
        new("pillarbox_stream_partitions", "gauge", "Partitions of the stream.", s => s.Partitions.Count),
        new("pillarbox_stream_size_bytes", "gauge", "Bytes of the stream on disk.", s => s.SizeBytes),
        new("pillarbox_stream_records", "gauge", "Offsets between start and end.", s => s.Records),
        new("pillarbox_stream_appended_records_total", "counter", "Records appended.", s => s.AppendedRecordsTotal),
        new("pillarbox_stream_appended_bytes_total", "counter", "Bytes appended.", s => s.AppendedBytesTotal),
        new("pillarbox_stream_read_bytes_total", "counter", "Bytes given to readers.", s => s.ReadBytesTotal),
    ];

    private static readonly Metric<PartitionOf>[] OfPartitions =
    [
        new("pillarbox_partition_start_offset", "gauge", "The first record that is left.",
            p => p.Partition.StartOffset),
        new("pillarbox_partition_end_offset", "gauge", "The offset of the next record.",
            p => p.Partition.HighWatermark),
        new("pillarbox_partition_undecided_records", "gauge", "Records behind the first open transaction.",
            p => p.Partition.HighWatermark - p.Partition.LastStableOffset),
    ];

    private static readonly Metric<GroupView>[] OfGroups =
    [
        new("pillarbox_group_members", "gauge", "Members of the group.", g => g.Members.Count),
        new("pillarbox_group_lag", "gauge", "Records behind the group's committed offsets.", g => g.Lag),
    ];

    public static async Task WriteAsync(
        PipeWriter output, MetricsText text, IReadOnlyList<StreamView> streams, IReadOnlyList<GroupView> groups)
    {
        StreamView[] shown = [.. streams.Take(StreamsMax)];
        await Metric<StreamView>.WriteAllAsync(output, text, OfStreams, shown, LabelOf);
        PartitionOf[] partitions = [.. Partitions(shown)];
        await Metric<PartitionOf>.WriteAllAsync(
            output, text, OfPartitions, partitions, p => MetricsText.Label(
                ("address_space", p.Stream.AddressSpace), ("stream", p.Stream.Name),
                ("partition", $"{p.Partition.Number}")));
        GroupView[] someGroups = [.. groups.Take(GroupStreamsMax)];
        await Metric<GroupView>.WriteAllAsync(
            output, text, OfGroups, someGroups, g => MetricsText.Label(
                ("address_space", g.AddressSpace), ("group", g.GroupId)));
        await WriteLagAsync(output, text, someGroups);
        text.Single(
            "pillarbox_streams_without_samples", "gauge", "Streams that are left out above.",
            streams.Count - shown.Length);
        text.Single(
            "pillarbox_partitions_without_samples", "gauge", "Partitions that are left out above.",
            streams.Sum(s => (long)s.Partitions.Count) - partitions.Length);
        text.Single(
            "pillarbox_groups_without_samples", "gauge", "Groups that are left out above.",
            groups.Count - someGroups.Length);
    }

    private static byte[] LabelOf(StreamView stream) =>
        MetricsText.Label(("address_space", stream.AddressSpace), ("stream", stream.Name));

    private static IEnumerable<PartitionOf> Partitions(StreamView[] streams)
    {
        int left = PartitionsMax;
        foreach (StreamView stream in streams.Where(s => s.Partitions.Count <= left))
        {
            left -= stream.Partitions.Count;
            foreach (PartitionView partition in stream.Partitions)
            {
                yield return new PartitionOf(stream, partition);
            }
        }
    }

    private static Task WriteLagAsync(PipeWriter output, MetricsText text, GroupView[] groups)
    {
        LagOf[] lags = [.. groups.SelectMany(g => g.Offsets
            .GroupBy(o => o.Partition.Topic, StringComparer.Ordinal)
            .Select(topic => new LagOf(g, topic.Key, topic.Sum(o => Math.Max(0, o.Lag))))).Take(GroupStreamsMax)];
        Metric<LagOf>[] metrics =
        [
            new("pillarbox_group_stream_lag", "gauge", "Records of a stream behind the group's offsets.", x => x.Lag),
        ];
        return Metric<LagOf>.WriteAllAsync(
            output, text, metrics, lags, x => MetricsText.Label(
                ("address_space", x.Group.AddressSpace), ("group", x.Group.GroupId), ("stream", x.Stream)));
    }

    private sealed record PartitionOf(StreamView Stream, PartitionView Partition);

    private sealed record LagOf(GroupView Group, string Stream, long Lag);
}
