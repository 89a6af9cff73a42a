using System.Collections.Frozen;
using Pillarbox.Broker.Streams.Coordinators;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// The streams in which the node keeps groups, transactions and share groups. Only the node makes them, writes to them
/// and knows how many partitions they have; of their settings an operator may change those that lose nothing.
/// </summary>
internal static class OwnStreams
{
    // How large files are and when compaction comes; who takes what the node acknowledged (cleanup.policy, flush.mode)
    // or would refuse its records (message.timestamp...) is not here.
    private static readonly FrozenSet<string> Free = FrozenSet.ToFrozenSet(
        [
            "segment.bytes", "segment.ms", "index.interval.bytes", "min.cleanable.dirty.ratio",
            "min.compaction.lag.ms", "max.compaction.lag.ms", "delete.retention.ms", "retention.ms", "retention.bytes",
            "max.message.bytes", "compression.type", "compression.gzip.level", "compression.zstd.level",
        ],
        StringComparer.Ordinal);

    /// <summary>Their names, whether they are there or not.</summary>
    public static FrozenSet<string> Names { get; } = FrozenSet.ToFrozenSet(
        [
            StreamCoordinators.OffsetsStream, StreamCoordinators.TransactionsStream, StreamCoordinators.ShareStream,
        ],
        StringComparer.Ordinal);

    /// <summary>What the node gives them.</summary>
    public static FrozenDictionary<string, string> Settings { get; } = new Dictionary<string, string>
    {
        ["cleanup.policy"] = "compact",
        ["segment.bytes"] = "104857600",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What such a stream has when it is given this: what is not named stays as the node gives it. Null with a
    /// sentence when something is named that is not to be changed.</summary>
    public static IReadOnlyDictionary<string, string>? Apply(
        string stream, IReadOnlyDictionary<string, string> given, out string? problem)
    {
        string? wrong = given.Keys.FirstOrDefault(name => !MayBe(name, given[name]));
        problem = wrong is null ? null
            : $"'{stream}' is the node's own stream: its {wrong} stays {UsualOf(wrong)}, or groups and transactions "
                + "could be lost";
        return wrong is not null ? null : new Dictionary<string, string>(
            Settings.Where(usual => !given.ContainsKey(usual.Key)).Concat(given), StringComparer.Ordinal);
    }

    private static bool MayBe(string name, string value) =>
        Free.Contains(name)
        || !StreamSetting.All.TryGetValue(name, out StreamSetting? setting)
        || !setting.HasEffect
        || value == UsualOf(name);

    private static string UsualOf(string name) =>
        Settings.GetValueOrDefault(name) ?? StreamSetting.All[name].Default;
}
