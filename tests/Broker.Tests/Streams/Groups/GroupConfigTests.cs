using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>Settings that groups have of their own.</summary>
public sealed class GroupConfigTests
{
    private readonly GroupScene _scene = new(new GroupOptions { AssignmentIntervalMs = 0, ConfigsMax = 2 });

    public GroupConfigTests() => _scene.Topics.Set("t", 2);

    [Fact]
    public void A_group_s_session_and_heartbeats_are_its_own_also_after_a_start()
    {
        Assert.Equal(CoordinatorError.None, Set("g", ("consumer.session.timeout.ms", "5000")).Error);
        Assert.Equal(CoordinatorError.None, Set("g", ("consumer.heartbeat.interval.ms", "300")).Error);
        ConsumerClient one = new(_scene, "one");
        one.Beat();
        Assert.Equal(_scene.Clock.NowMs + 300, one.NextBeatMs);
        _scene.Crash();
        one.Beat();
        Assert.Equal(_scene.Clock.NowMs + 300, one.NextBeatMs);
        _scene.Advance(4_500);
        Assert.Equal(CoordinatorError.None, one.Beat());
        _scene.Advance(5_500);
        Assert.Equal(CoordinatorError.UnknownMemberId, one.Beat());

        // Taken away, the node's count again.
        Assert.Equal(CoordinatorError.None, Change("g", given => given.Clear()).Error);
        one.Beat();
        Assert.Equal(_scene.Clock.NowMs + new GroupOptions().HeartbeatIntervalMs, one.NextBeatMs);
        _scene.Advance(30_000);
        Assert.Equal(CoordinatorError.None, one.Beat());
        _scene.Crash();
        Assert.Empty(Get("g").Given);
    }

    [Theory]
    [InlineData("consumer.session.timeout.ms", "0")]
    [InlineData("consumer.session.timeout.ms", "soon")]
    [InlineData("consumer.session.timeout.ms", "1000")]
    [InlineData("share.heartbeat.interval.ms", "60000")]
    [InlineData("share.auto.offset.reset", "somewhere")]
    [InlineData("share.auto.offset.reset", "by_duration:PT-1H")]
    [InlineData("share.isolation.level", "serializable")]
    [InlineData("share.record.lock.duration.ms", "999")]
    [InlineData("share.record.lock.duration.ms", "3600001")]
    [InlineData("share.delivery.count.limit", "1")]
    [InlineData("share.delivery.count.limit", "26")]
    [InlineData("share.partition.max.record.locks", "99")]
    [InlineData("share.partition.max.record.locks", "10001")]
    [InlineData("share.renew.acknowledge.enable", "maybe")]
    [InlineData("retention.ms", "1000")]
    public void What_cannot_be_is_refused_with_a_sentence(string name, string value)
    {
        GroupConfigResult refused = Set("g", (name, value));
        Assert.Equal(CoordinatorError.InvalidConfig, refused.Error);
        Assert.Contains(name.Split('.')[0], refused.Message, StringComparison.Ordinal);
        Assert.Empty(Get("g").Given);
    }

    [Theory]
    [InlineData("P1D", 86_400_000)]
    [InlineData("P2DT3H4M5.678S", (2 * 86_400_000L) + 11_045_678)]
    [InlineData("PT0S", 0)]
    [InlineData("pt90m", 5_400_000)]
    [InlineData("PT0.0019S", 1)]
    [InlineData("PT1000000H", 3_600_000_000_000)]
    public void A_share_group_may_begin_some_time_ago(string duration, long backMs)
    {
        Assert.Equal(
            CoordinatorError.None, Set("g", ("share.auto.offset.reset", $"by_duration:{duration}")).Error);
        Assert.Equal(new ShareStart(ShareStartKind.ByDuration, backMs), Get("g").ShareStart);
        Assert.Equal($"by_duration:{duration}", Get("g").ValueOf("share.auto.offset.reset"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("P")]
    [InlineData("PT")]
    [InlineData("P1DT")]
    [InlineData("P1H")]
    [InlineData("P1Y")]
    [InlineData("PT1")]
    [InlineData("PT1M1H")]
    [InlineData("PT1H1H")]
    [InlineData("PT1.5H")]
    [InlineData("PT1.2.3S")]
    [InlineData("-PT1S")]
    [InlineData("PT1S ")]
    [InlineData("PTT1S")]
    [InlineData("P99999999999999999999999999999999999999D")]
    [InlineData("PT9999999999999S")]
    public void What_is_no_duration_is_refused(string duration) => Assert.Equal(
        CoordinatorError.InvalidConfig, Set("g", ("share.auto.offset.reset", $"by_duration:{duration}")).Error);

    [Fact]
    public void A_change_that_is_only_tried_changes_nothing()
    {
        Answer<GroupConfigResult> answer = new();
        _scene.Coordinator.ChangeConfig(
            "g", Put("share.auto.offset.reset", "earliest"), validateOnly: true, answer.Take);
        Assert.Equal(CoordinatorError.None, answer.Value.Error);
        Assert.Empty(Get("g").Given);
        Assert.Equal(0, _scene.Log.Batches);
    }

    [Fact]
    public void So_many_groups_have_settings_and_no_more()
    {
        foreach (string group in (string[])["a", "b"])
        {
            Assert.Equal(CoordinatorError.None, Set(group, ("share.auto.offset.reset", "earliest")).Error);
        }

        Assert.Equal(CoordinatorError.PolicyViolation, Set("c", ("share.auto.offset.reset", "earliest")).Error);
        Assert.Equal(CoordinatorError.None, Change("a", given => given.Clear()).Error);
        Assert.Equal(CoordinatorError.None, Set("c", ("share.auto.offset.reset", "earliest")).Error);
        _scene.Crash();
        Answer<IReadOnlyList<string>> names = new();
        _scene.Coordinator.ListConfigs(names.Take);
        Assert.Equal(["b", "c"], names.Value);
        Assert.Equal(ShareStart.Earliest, Get("c").ShareStart);
    }

    [Fact]
    public void What_is_not_on_disk_is_not_told()
    {
        _scene.Log.SyncsAtOnce = false;
        Answer<GroupConfigResult> answer = new();
        _scene.Coordinator.ChangeConfig(
            "g", Put("share.auto.offset.reset", "earliest"), validateOnly: false, answer.Take);
        Assert.False(answer.HasCome);
        _scene.Log.Sync();
        Assert.Equal("earliest", answer.Value.Config.Given["share.auto.offset.reset"]);
        _scene.Log.IsFull = true;
        Assert.Equal(
            CoordinatorError.CoordinatorNotAvailable, Set("g", ("share.auto.offset.reset", "latest")).Error);
        Assert.Equal(ShareStart.Earliest, Get("g").ShareStart);
    }

    private static Func<Dictionary<string, string>, string?> Put(string name, string value) => given =>
    {
        given[name] = value;
        return null;
    };

    private GroupConfigResult Set(string group, (string Name, string Value) setting) =>
        Change(group, given => given[setting.Name] = setting.Value);

    private GroupConfigResult Change(string group, Action<Dictionary<string, string>> change)
    {
        Answer<GroupConfigResult> answer = new();
        _scene.Coordinator.ChangeConfig(
            group,
            given =>
            {
                change(given);
                return null;
            },
            validateOnly: false, answer.Take);
        return answer.Value;
    }

    private GroupConfig Get(string group)
    {
        Answer<GroupConfig> answer = new();
        _scene.Coordinator.GetConfig(group, answer.Take);
        return answer.Value;
    }
}
