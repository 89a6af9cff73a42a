using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>The <c>consumer</c> protocol, told as stories.</summary>
public sealed class ConsumerGroupTests
{
    private readonly GroupScene _scene = new(new GroupOptions { AssignmentIntervalMs = 0 });
    private readonly TopicInfo _topic;

    public ConsumerGroupTests() => _topic = _scene.Topics.Set("t", 6);

    [Fact]
    public void A_lone_member_gets_everything()
    {
        ConsumerClient one = Joined("one");
        Assert.Equal(1, one.Epoch);
        Assert.Equal(6, one.Owned.Count);
        Assert.Equal("Stable", Describe().State);
        Assert.NotEqual("", one.MemberId);
    }

    [Fact]
    public void A_member_without_topics_that_exist_gets_nothing_until_they_do()
    {
        ConsumerClient one = new(_scene, "one") { Topics = ["later"] };
        one.Beat();
        Assert.Empty(one.Owned);
        _scene.Topics.Set("later", 2);
        one.Beat();
        Assert.Equal(2, one.Owned.Count);
    }

    [Fact]
    public void Partitions_go_to_a_second_member_only_after_the_first_has_given_them_up()
    {
        ConsumerClient one = Joined("one");
        one.RevokesSlowly = true;
        ConsumerClient two = Joined("two");
        Assert.Empty(two.Owned);
        Assert.Equal(2, two.Epoch);

        one.Beat();
        Assert.Equal(1, one.Epoch);
        Assert.Equal(3, one.Owned.Count);
        Assert.Equal(3, one.Leaving.Count);
        two.Beat();
        Assert.Empty(two.Owned);
        Assert.Equal("Reconciling", Describe().State);

        one.FinishRevoking();
        one.Beat();
        Assert.Equal(2, one.Epoch);
        two.Beat();
        Assert.Equal(3, two.Owned.Count);
        Assert.False(one.Owned.Overlaps(two.Owned));
        Assert.Equal("Stable", Describe().State);
    }

    [Fact]
    public void A_leaving_member_frees_its_partitions_at_once()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = Joined("two");
        Settle(one, two);
        Assert.Equal(CoordinatorError.None, two.Leave());
        one.Beat();
        Assert.Equal(6, one.Owned.Count);
        Assert.Equal(CoordinatorError.None, one.Leave());
        Assert.Equal("Empty", Describe().State);
    }

    [Fact]
    public void Who_is_not_heard_of_for_a_session_is_out_and_fenced()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = Joined("two");
        Settle(one, two);
        for (int i = 0; i < 46; i++)
        {
            _scene.Advance(1_000);
            one.Beat();
        }

        Assert.Equal(6, one.Owned.Count);
        Assert.Equal(CoordinatorError.UnknownMemberId, two.Beat());
    }

    [Fact]
    public void Who_does_not_give_partitions_up_in_time_is_out()
    {
        ConsumerClient one = Joined("one");
        one.RevokesSlowly = true;
        ConsumerClient two = Joined("two");
        one.Beat();
        for (int i = 0; i < 9; i++)
        {
            _scene.Advance(1_000);
            two.Beat();
            Assert.Equal(CoordinatorError.None, one.Beat());
        }

        _scene.Advance(1_100);
        two.Beat();
        Assert.Equal(6, two.Owned.Count);
        Assert.Equal(CoordinatorError.UnknownMemberId, one.Beat());
    }

    [Fact]
    public void A_wrong_epoch_is_fenced_but_a_lost_answer_is_forgiven()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = Joined("two");
        one.Beat();
        one.Send();
        one.LoseAnswer();
        Assert.Equal(CoordinatorError.None, one.Beat());
        Assert.Equal(2, one.Epoch);
        two.Beat();
        Assert.Equal(CoordinatorError.FencedMemberEpoch, ErrorOf(two.MemberId, 7));
        Assert.Equal(CoordinatorError.FencedMemberEpoch, ErrorOf(two.MemberId, 1));
        Assert.Equal(CoordinatorError.UnknownMemberId, ErrorOf("nobody", 1));
    }

    [Fact]
    public void A_group_that_is_not_there_is_not_made_by_a_heartbeat()
    {
        Assert.Equal(CoordinatorError.GroupIdNotFound, ErrorOf("m", 3));
        Assert.Empty(_scene.List());
    }

    [Fact]
    public void A_static_member_comes_back_under_another_id_to_the_same_partitions()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = new(_scene, "two") { InstanceId = "i" };
        two.Beat();
        Settle(one, two);
        HashSet<TopicIdPartition> had = two.Owned;
        int epoch = Describe().Epoch;
        Assert.Equal(CoordinatorError.None, two.Leave(-2));

        ConsumerClient back = new(_scene, "back") { InstanceId = "i" };
        Assert.Equal(CoordinatorError.None, back.Beat());
        Assert.Equal(had, back.Owned);
        Assert.Equal(epoch, Describe().Epoch);
        Assert.Equal(epoch, back.Epoch);
        Assert.Equal(2, Describe().Members.Count);
        _scene.Crash();
        Assert.Equal(CoordinatorError.None, back.Beat());
    }

    [Fact]
    public void A_static_member_that_is_away_for_a_while_leaves_the_group_stable()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = new(_scene, "two") { InstanceId = "i" };
        two.Beat();
        Settle(one, two);
        two.Leave(-2);
        one.Beat();
        Assert.Equal("Stable", Describe().State);
    }

    /// <summary>Somebody else has its id, or it has lost its place and does not know it.</summary>
    [Fact]
    public void The_epoch_before_is_not_forgiven_to_who_has_what_it_should_not_have()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = new(_scene, "two");
        Assert.Equal(CoordinatorError.None, two.Beat());
        Settle(one, two);
        Answer<ConsumerHeartbeatResult> answer = new();
        _scene.Coordinator.ConsumerHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = "g",
                MemberId = one.MemberId,
                MemberEpoch = one.Epoch - 1,
                Owned = [.. two.Owned],
                Client = new GroupClient("one", "/127.0.0.1"),
            },
            answer.Take);
        Assert.Equal(CoordinatorError.FencedMemberEpoch, answer.Value.Error);
    }

    [Fact]
    public void A_static_member_that_is_there_keeps_its_name_to_itself()
    {
        ConsumerClient one = new(_scene, "one") { InstanceId = "i" };
        one.Beat();
        ConsumerClient thief = new(_scene, "thief") { InstanceId = "i" };
        Assert.Equal(CoordinatorError.UnreleasedInstanceId, thief.Beat());
        Assert.Equal(CoordinatorError.None, one.Beat());
    }

    [Fact]
    public void A_static_member_that_stays_away_loses_its_place_when_its_session_ends()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = new(_scene, "two") { InstanceId = "i" };
        two.Beat();
        Settle(one, two);
        two.Leave(-2);
        for (int i = 0; i < 47; i++)
        {
            _scene.Advance(1_000);
            one.Beat();
        }

        Assert.Equal(6, one.Owned.Count);
    }

    [Fact]
    public void A_regular_expression_finds_topics_that_come_later()
    {
        ConsumerClient one = new(_scene, "one") { Topics = [], Regex = "logs-.*" };
        Assert.Equal(CoordinatorError.None, one.Beat());
        Assert.Empty(one.Owned);
        _scene.Topics.Set("logs-a", 2);
        _scene.Topics.Set("xlogs-a", 2);
        one.Beat();
        Assert.Equal(2, one.Owned.Count);
        _scene.Topics.Remove("logs-a");
        one.Beat();
        Assert.Empty(one.Owned);
    }

    [Theory]
    [InlineData("(")]
    [InlineData("a)|(b")]
    [InlineData("(a)\\1")]
    [InlineData("(?=a)")]
    public void A_regular_expression_that_cannot_be_used_is_named(string pattern)
    {
        ConsumerClient one = new(_scene, "one") { Topics = [], Regex = pattern };
        Assert.Equal(CoordinatorError.InvalidRegularExpression, one.Beat());
        Assert.NotNull(one.LastMessage);
    }

    [Fact]
    public void More_partitions_are_shared_out()
    {
        ConsumerClient one = Joined("one");
        _scene.Topics.Set("t", 8);
        one.Beat();
        Assert.Equal(8, one.Owned.Count);
    }

    [Fact]
    public void The_range_assignor_gives_runs_of_each_topic()
    {
        _scene.Topics.Set("u", 6);
        ConsumerClient one = new(_scene, "one") { Topics = ["t", "u"], Assignor = "range", MemberId = "a" };
        ConsumerClient two = new(_scene, "two") { Topics = ["t", "u"], Assignor = "range", MemberId = "b" };
        one.Beat();
        two.Beat();
        Settle(one, two);
        Assert.Equal([0, 0, 1, 1, 2, 2], one.Owned.Select(p => p.Partition).Order());
        Assert.Equal("range", Describe().Assignor);
    }

    [Fact]
    public void An_unknown_assignor_is_refused_with_the_names_of_the_known_ones()
    {
        ConsumerClient one = new(_scene, "one") { Assignor = "best" };
        Assert.Equal(CoordinatorError.UnsupportedAssignor, one.Beat());
        Assert.Contains("uniform", one.LastMessage!, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_outlives_a_crash()
    {
        ConsumerClient one = Joined("one");
        ConsumerClient two = Joined("two");
        Settle(one, two);
        ConsumerGroupView before = Describe();
        _scene.Crash();
        ConsumerGroupView after = Describe();
        Assert.Equal((before.Epoch, before.AssignmentEpoch), (after.Epoch, after.AssignmentEpoch));
        Assert.Equal((before.State, "Stable"), (after.State, after.State));
        Assert.Equal(CoordinatorError.None, one.Beat());
        Assert.Equal(CoordinatorError.None, two.Beat());
        Assert.Equal(3, one.Owned.Count);
        Assert.Equal(before.Epoch, Describe().Epoch);
    }

    [Fact]
    public void An_answer_waits_until_what_it_tells_is_on_disk()
    {
        _scene.Log.SyncsAtOnce = false;
        ConsumerClient one = new(_scene, "one");
        one.Send();
        Assert.False(one.Receive());
        _scene.Log.Sync();
        Assert.True(one.Receive());
        Assert.Equal(6, one.Owned.Count);
    }

    [Fact]
    public void A_full_disk_refuses_the_join_and_nothing_is_lost_when_there_is_room_again()
    {
        ConsumerClient one = new(_scene, "one") { MemberId = "m" };
        _scene.Log.IsFull = true;
        Assert.Equal(CoordinatorError.CoordinatorNotAvailable, one.Beat());
        _scene.Log.IsFull = false;
        Assert.Equal(CoordinatorError.None, one.Beat());
        _scene.Crash();
        Assert.Equal(CoordinatorError.None, one.Beat());
        Assert.Equal(6, Describe().Members.Single().Assignment.Count);
    }

    [Fact]
    public void Commits_carry_the_epoch()
    {
        ConsumerClient one = Joined("one");
        Assert.Equal(CoordinatorError.None, GroupScene.ErrorOf(_scene.Commit(5, one.MemberId, one.Epoch)));
        Assert.Equal(
            CoordinatorError.StaleMemberEpoch, GroupScene.ErrorOf(_scene.Commit(6, one.MemberId, one.Epoch - 1)));
        Assert.Equal(CoordinatorError.UnknownMemberId, GroupScene.ErrorOf(_scene.Commit(6)));
        Assert.Equal(5, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void An_empty_group_is_deleted_with_its_offsets_a_full_one_is_not()
    {
        ConsumerClient one = Joined("one");
        _scene.Commit(5, one.MemberId, one.Epoch);
        Assert.Equal(CoordinatorError.NonEmptyGroup, _scene.Delete());
        one.Leave();
        Assert.Equal(CoordinatorError.None, _scene.Delete());
        _scene.Crash();
        Assert.Empty(_scene.List());
        Assert.Equal(-1, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void Fifty_members_share_five_hundred_partitions_within_two_seconds()
    {
        GroupScene scene = new();
        scene.Topics.Set("t", 500);
        List<ConsumerClient> clients = [.. Enumerable.Range(0, 49).Select(i => new ConsumerClient(scene, $"c{i}"))];
        RunUntil(scene, clients, _ => false, 10_000);
        AssertShared(clients, 500);

        clients.Add(new ConsumerClient(scene, "last"));
        long joinMs = RunUntil(scene, clients, IsShared, 2_000);
        Assert.InRange(joinMs, 0, 1_999);
        clients[3].Leave();
        clients.RemoveAt(3);
        long leaveMs = RunUntil(scene, clients, IsShared, 2_000);
        Assert.InRange(leaveMs, 0, 1_999);

        static bool IsShared(List<ConsumerClient> all) =>
            all.Sum(c => c.Owned.Count) == 500 && all.All(c => c.Leaving.Count == 0 && c.Owned.Count is 10 or 11);
    }

    [Fact]
    public void Fifty_members_that_come_at_once_have_everything_within_two_seconds()
    {
        GroupScene scene = new();
        scene.Topics.Set("t", 500);
        List<ConsumerClient> clients = [.. Enumerable.Range(0, 50).Select(i => new ConsumerClient(scene, $"c{i}"))];
        long tookMs = RunUntil(scene, clients, all => all.All(c => c.Owned.Count == 10), 2_000);
        Assert.InRange(tookMs, 0, 1_999);
        AssertShared(clients, 500);
    }

    [Theory]
    [InlineData("", 0, "t", true)]
    [InlineData("g", -3, "t", true)]
    [InlineData("g", 0, null, true)]
    [InlineData("g", 0, "t", false)]
    public void Nonsense_is_refused_with_a_sentence(string group, int epoch, string? topic, bool owns)
    {
        Answer<ConsumerHeartbeatResult> answer = new();
        _scene.Coordinator.ConsumerHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = group,
                MemberId = "m",
                MemberEpoch = epoch,
                RebalanceTimeoutMs = 1000,
                SubscribedTopics = topic is null ? null : [topic],
                Owned = owns ? [] : null,
            },
            answer.Take);
        Assert.Equal(CoordinatorError.InvalidRequest, answer.Value.Error);
        Assert.NotNull(answer.Value.Message);
    }

    private static long RunUntil(
        GroupScene scene, List<ConsumerClient> clients, Func<List<ConsumerClient>, bool> isDone, long limitMs)
    {
        long startMs = scene.Clock.NowMs;
        while (!isDone(clients) && scene.Clock.NowMs - startMs < limitMs)
        {
            foreach (ConsumerClient client in clients.Where(c => c.IsDue).ToArray())
            {
                Assert.Equal(CoordinatorError.None, client.Beat());
            }

            scene.Clock.Advance(10);
            scene.Coordinator.Tick();
        }

        return scene.Clock.NowMs - startMs;
    }

    private static void AssertShared(List<ConsumerClient> clients, int partitions)
    {
        Assert.Equal(partitions, clients.Sum(c => c.Owned.Count));
        Assert.Equal(partitions, clients.SelectMany(c => c.Owned).Distinct().Count());
    }

    private ConsumerClient Joined(string name)
    {
        ConsumerClient client = new(_scene, name);
        Assert.Equal(CoordinatorError.None, client.Beat());
        return client;
    }

    private static void Settle(params ConsumerClient[] clients)
    {
        for (int round = 0; round < 4; round++)
        {
            foreach (ConsumerClient client in clients)
            {
                Assert.Equal(CoordinatorError.None, client.Beat());
            }
        }
    }

    private ConsumerGroupView Describe()
    {
        Answer<ConsumerGroupView> answer = new();
        _scene.Coordinator.ConsumerDescribe("g", answer.Take);
        return answer.Value;
    }

    private CoordinatorError ErrorOf(string memberId, int epoch)
    {
        Answer<ConsumerHeartbeatResult> answer = new();
        _scene.Coordinator.ConsumerHeartbeat(
            new ConsumerHeartbeatRequest { GroupId = "g", MemberId = memberId, MemberEpoch = epoch }, answer.Take);
        return answer.Value.Error;
    }
}
