using System.Collections.Frozen;
using System.Globalization;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>
/// Settings that a group has of its own, whether it is there or not; what is not given is the node's. Immutable.
/// </summary>
public sealed class GroupConfig
{
    private const string ConsumerSession = "consumer.session.timeout.ms";
    private const string ConsumerHeartbeat = "consumer.heartbeat.interval.ms";
    private const string ShareSession = "share.session.timeout.ms";
    private const string ShareHeartbeat = "share.heartbeat.interval.ms";
    private const string ShareReset = "share.auto.offset.reset";
    private const string ShareIsolation = "share.isolation.level";
    private const string ShareLock = "share.record.lock.duration.ms";
    private const string ShareDeliveries = "share.delivery.count.limit";
    private const string ShareLocks = "share.partition.max.record.locks";
    private const string ShareRenewal = "share.renew.acknowledge.enable";
    private const string ReadCommitted = "read_committed";

    private static readonly GroupOptions Usual = new();
    private static readonly ShareOptions UsualShare = new();

    private GroupConfig(IReadOnlyDictionary<string, string> given)
    {
        Given = given;
        ConsumerSessionTimeoutMs = NumberOf(ConsumerSession);
        ConsumerHeartbeatIntervalMs = NumberOf(ConsumerHeartbeat);
        ShareSessionTimeoutMs = NumberOf(ShareSession);
        ShareHeartbeatIntervalMs = NumberOf(ShareHeartbeat);
        ShareStart = ShareStart.TryParse(ValueOf(ShareReset), out ShareStart start) ? start : ShareStart.Latest;
        ShareIsolationLevel = ValueOf(ShareIsolation) == ReadCommitted ? Isolation.Committed : Isolation.Uncommitted;
        ShareLockMs = NumberOf(ShareLock);
        ShareDeliveryCountMax = NumberOf(ShareDeliveries);
        ShareInFlightMax = NumberOf(ShareLocks);
        ShareMayRenew = ValueOf(ShareRenewal) == "true";
    }

    /// <summary>All settings, by name.</summary>
    public static FrozenDictionary<string, StreamSetting> All { get; } =
        Declare().ToFrozenDictionary(setting => setting.Name, StringComparer.Ordinal);

    /// <summary>A group that is given nothing.</summary>
    public static GroupConfig Default { get; } = new(FrozenDictionary<string, string>.Empty);

    /// <summary>What was given, by name.</summary>
    public IReadOnlyDictionary<string, string> Given { get; }

    /// <summary>How long a member of the <c>consumer</c> protocol may be silent, in milliseconds; null = as the node
    /// says, as with the others.</summary>
    public int? ConsumerSessionTimeoutMs { get; }

    /// <summary>Time between two heartbeats of such a member that has what it should have, in milliseconds.</summary>
    public int? ConsumerHeartbeatIntervalMs { get; }

    /// <summary>How long a member of a share group may be silent, in milliseconds.</summary>
    public int? ShareSessionTimeoutMs { get; }

    /// <summary>Time between two heartbeats of such a member, in milliseconds.</summary>
    public int? ShareHeartbeatIntervalMs { get; }

    /// <summary>Where a share group begins in a partition that it has never read.</summary>
    public ShareStart ShareStart { get; }

    /// <summary>Whether a share group gets the records of transactions that are not, or were not, committed.</summary>
    public Isolation ShareIsolationLevel { get; }

    /// <summary>How long a member of a share group has a record before others may have it, in milliseconds.</summary>
    public int? ShareLockMs { get; }

    /// <summary>How often a share group is given a record at most.</summary>
    public int? ShareDeliveryCountMax { get; }

    /// <summary>Records of a partition that a share group is busy with at most.</summary>
    public int? ShareInFlightMax { get; }

    /// <summary>Whether members of a share group may renew the locks of their records.</summary>
    public bool ShareMayRenew { get; }

    /// <summary>The settings of these values; null with a sentence when one cannot be.</summary>
    public static GroupConfig? TryMake(IReadOnlyDictionary<string, string> given, out string? problem)
    {
        foreach ((string name, string value) in given)
        {
            problem = All.TryGetValue(name, out StreamSetting? setting)
                ? setting.Check(value)
                : $"there is no setting '{name}' of groups";
            if (problem is not null)
            {
                return null;
            }
        }

        GroupConfig made = new(given.ToFrozenDictionary(StringComparer.Ordinal));
        problem = made.IsLess(ConsumerHeartbeat, ConsumerSession) ?? made.IsLess(ShareHeartbeat, ShareSession);
        return problem is null ? made : null;
    }

    /// <summary>A setting's value, given or not.</summary>
    public string ValueOf(string name) => Given.GetValueOrDefault(name) ?? All[name].Default;

    /// <summary>The node's limits of share groups, with what this group is given in their place.</summary>
    public ShareOptions Limit(ShareOptions node) => node with
    {
        LockMs = ShareLockMs ?? node.LockMs,
        DeliveryCountMax = ShareDeliveryCountMax ?? node.DeliveryCountMax,
        InFlightMax = ShareInFlightMax ?? node.InFlightMax,
        MayRenew = ShareMayRenew,
    };

    private static StreamSetting[] Declare() =>
    [
        Number(ConsumerSession, Usual.ConsumerSessionTimeoutMs, 1_000, 1_800_000,
            "How long a member may be silent."),
        Number(ConsumerHeartbeat, Usual.HeartbeatIntervalMs, 100, 60_000, "Time between heartbeats of a member."),
        Number(ShareSession, Usual.ConsumerSessionTimeoutMs, 1_000, 1_800_000,
            "How long a member of a share group may be silent."),
        Number(ShareHeartbeat, Usual.HeartbeatIntervalMs, 100, 60_000,
            "Time between heartbeats of a member of a share group."),
        .. DeclareSharing(),
    ];

    private static StreamSetting[] DeclareSharing() =>
    [
        new(ShareReset, SettingType.Text, "latest", "Where a share group begins in a partition that is new to it.")
        {
            Rule = value => ShareStart.Check(ShareReset, value),
        },
        new(ShareIsolation, SettingType.Text, "read_uncommitted",
            "Whether a share group gets only what is committed of transactions.")
        {
            Words = [ReadCommitted, "read_uncommitted"],
        },
        Number(ShareLock, UsualShare.LockMs, 1_000, 3_600_000,
            "How long a member has a record before others may have it."),
        Number(ShareDeliveries, UsualShare.DeliveryCountMax, 2, 25, "How often a record is given out at most."),
        Number(ShareLocks, UsualShare.InFlightMax, 100, 10_000, "Records of a partition under way at most."),
        new(ShareRenewal, SettingType.Boolean, "true", "Whether members may renew the locks of their records."),
    ];

    private static StreamSetting Number(string name, int usual, int min, int max, string description) =>
        new(name, SettingType.Int, usual.ToString(CultureInfo.InvariantCulture), description) { Min = min, Max = max };

    private int? NumberOf(string name) =>
        Given.TryGetValue(name, out string? value) ? int.Parse(value, CultureInfo.InvariantCulture) : null;

    private string? IsLess(string lesser, string greater) =>
        int.Parse(ValueOf(lesser), CultureInfo.InvariantCulture)
            < int.Parse(ValueOf(greater), CultureInfo.InvariantCulture)
            ? null
            : $"{lesser} must be less than {greater}";
}

/// <summary>A group's settings, or why they cannot be changed.</summary>
/// <param name="Error">What happened.</param>
/// <param name="Message">A sentence for the user, with an error; or null.</param>
/// <param name="Config">The settings, as they are afterwards.</param>
public sealed record GroupConfigResult(CoordinatorError Error, string? Message, GroupConfig Config)
    : ICoordinatorResult<GroupConfigResult>
{
    /// <inheritdoc/>
    public static GroupConfigResult Of(CoordinatorError error) => new(error, null, GroupConfig.Default);
}
