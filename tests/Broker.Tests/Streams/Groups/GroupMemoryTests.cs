using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>What members bring along is bounded: for a group, and for all groups of a coordinator.</summary>
public sealed class GroupMemoryTests
{
    private const int Megabyte = 1 << 20;

    private static readonly GroupOptions Small = new()
    {
        InitialRebalanceDelayMs = 0,
        GroupBytesMax = Megabyte,
        MembersBytesMax = 2 * Megabyte,
    };

    private static readonly string Large = new('x', 400_000);

    [Fact]
    public void A_group_takes_members_until_they_bring_too_much_and_again_when_one_has_gone()
    {
        var scene = new GroupScene(Small);
        JoinResult one = scene.Join(metadata: Large).Value;
        Answer<JoinResult> two = scene.Join(metadata: Large);
        scene.Join(one.MemberId, metadata: Large);
        Assert.Equal(CoordinatorError.None, two.Value.Error);
        Assert.Equal(CoordinatorError.GroupMaxSizeReached, scene.Join(metadata: Large).Value.Error);

        Answer<JoinResult> again = scene.Join(two.Value.MemberId, metadata: Large);
        Assert.Equal(CoordinatorError.None, scene.Leave(one.MemberId));
        Assert.Equal(CoordinatorError.None, again.Value.Error);
        Answer<JoinResult> three = scene.Join(metadata: Large);
        scene.Join(two.Value.MemberId, metadata: Large);
        Assert.Equal(CoordinatorError.None, three.Value.Error);
    }

    [Fact]
    public void A_member_that_wants_more_than_there_is_room_for_keeps_what_it_has()
    {
        var scene = new GroupScene(Small);
        JoinResult one = scene.Join(metadata: Large).Value;
        scene.Sync(one.MemberId, 1, assignments: (one.MemberId, Large));
        Assert.Equal(
            CoordinatorError.GroupMaxSizeReached, scene.Join(one.MemberId, metadata: Large + Large).Value.Error);
        Assert.Equal(CoordinatorError.None, scene.Heartbeat(one.MemberId, 1));
        Assert.Equal("Stable", scene.Describe().State);
        Assert.Equal(2, scene.Join(one.MemberId, metadata: "less").Value.Generation);
    }

    [Fact]
    public void All_groups_together_take_members_until_they_bring_too_much()
    {
        var scene = new GroupScene(Small);
        var members = new List<string>();
        for (int i = 0; i < 5; i++)
        {
            JoinResult joined = scene.Join(group: $"g{i}", metadata: Large).Value;
            Assert.Equal(CoordinatorError.None, joined.Error);
            members.Add(joined.MemberId);
        }

        Assert.Equal(CoordinatorError.GroupMaxSizeReached, scene.Join(group: "more", metadata: Large).Value.Error);
        Assert.Equal(CoordinatorError.None, scene.Leave(members[0], group: "g0"));
        Assert.Equal(CoordinatorError.None, scene.Join(group: "more", metadata: Large).Value.Error);
    }

    [Fact]
    public void Members_whose_sessions_end_give_their_room_back()
    {
        var scene = new GroupScene(Small);
        for (int i = 0; i < 5; i++)
        {
            JoinResult joined = scene.Join(group: $"g{i}", metadata: Large).Value;
            scene.Sync(joined.MemberId, 1, group: $"g{i}", assignments: (joined.MemberId, ""));
        }

        Assert.Equal(CoordinatorError.GroupMaxSizeReached, scene.Join(group: "more", metadata: Large).Value.Error);
        scene.Advance(10_200);
        Assert.Equal(CoordinatorError.None, scene.Join(group: "more", metadata: Large).Value.Error);
    }

    [Fact]
    public void What_is_read_back_at_a_start_counts()
    {
        var scene = new GroupScene(Small);
        for (int i = 0; i < 5; i++)
        {
            JoinResult joined = scene.Join(group: $"g{i}", metadata: Large).Value;
            scene.Sync(joined.MemberId, 1, group: $"g{i}", assignments: (joined.MemberId, ""));
        }

        scene.Crash();
        Assert.Equal(5, scene.List().Count);
        Assert.Equal(CoordinatorError.GroupMaxSizeReached, scene.Join(group: "more", metadata: Large).Value.Error);
    }

    [Fact]
    public void Ids_that_were_given_out_and_names_of_groups_count()
    {
        var scene = new GroupScene(Small with { GroupBytesMax = 3 * Megabyte });
        string name = new('g', 8000);
        CoordinatorError error = CoordinatorError.MemberIdRequired;
        int given = 0;
        for (; error == CoordinatorError.MemberIdRequired && given < 1000; given++)
        {
            error = scene.Join(group: $"{name}{given}", knownId: true).Value.Error;
        }

        Assert.True(error is CoordinatorError.GroupMaxSizeReached or CoordinatorError.PolicyViolation, $"{error}");
        Assert.InRange(given, 100, 140);
        Assert.Equal(CoordinatorError.PolicyViolation, GroupScene.ErrorOf(scene.Commit(1, group: name + "other")));
        // The ids are void after their sessions, and the groups go when it is looked after them.
        scene.Advance(Small.OffsetSweepMs + 1000);
        Assert.Empty(scene.List());
        Assert.Equal(CoordinatorError.None, scene.Join(group: name).Value.Error);
    }

    [Fact]
    public void Assignments_that_are_too_large_together_are_refused_and_everybody_begins_anew()
    {
        var scene = new GroupScene(Small);
        JoinResult one = scene.Join().Value;
        Answer<JoinResult> two = scene.Join();
        Answer<JoinResult> leader = scene.Join(one.MemberId);
        Answer<SyncResult> follower = scene.Sync(two.Value.MemberId, 2);
        string half = new('a', 600_000);
        Answer<SyncResult> refused = scene.Sync(
            one.MemberId, 2, assignments: [(one.MemberId, half), (two.Value.MemberId, half)]);
        Assert.Equal(one.MemberId, leader.Value.LeaderId);
        Assert.Equal(CoordinatorError.InvalidRequest, refused.Value.Error);
        Assert.Equal(CoordinatorError.RebalanceInProgress, follower.Value.Error);
        Assert.Equal("PreparingRebalance", scene.Describe().State);

        // Of a member that is named twice the last one counts, here and there.
        scene.Join(two.Value.MemberId);
        scene.Join(one.MemberId);
        Answer<SyncResult> taken = scene.Sync(
            one.MemberId, 3, assignments: [(one.MemberId, half), (one.MemberId, "a"), (two.Value.MemberId, "b")]);
        Assert.Equal("a", GroupScene.Text(taken.Value.Assignment));
    }

    [Fact]
    public void Subscriptions_of_the_consumer_protocol_count()
    {
        var scene = new GroupScene(Small);
        scene.Topics.Set("t", 2);
        ConsumerClient one = new(scene, "one") { MemberId = "1" };
        Assert.Equal(CoordinatorError.None, one.Beat());
        one.Topics = ["t", .. Names(1000, 400)];
        one.IsFull = true;
        Assert.Equal(CoordinatorError.None, one.Beat());
        ConsumerClient two = new(scene, "two") { MemberId = "2", Topics = Names(1000, 200) };
        Assert.Equal(CoordinatorError.GroupMaxSizeReached, two.Beat());
        Assert.Contains("memory", two.LastMessage, StringComparison.Ordinal);

        // It is no member; the other one still is.
        Assert.Equal(CoordinatorError.UnknownMemberId, two.Leave());
        Assert.Equal(CoordinatorError.None, one.Beat());
        one.Topics = ["t"];
        one.IsFull = true;
        Assert.Equal(CoordinatorError.None, one.Beat());
        Assert.Equal(CoordinatorError.None, two.Beat());
    }

    [Fact]
    public void One_member_reads_so_many_topics_and_no_more()
    {
        var scene = new GroupScene(Small with { MemberBytesMax = 100_000, MemberTopicsMax = 50 });
        ConsumerClient many = new(scene, "one") { Topics = Names(51, 10) };
        Assert.Equal(CoordinatorError.InvalidRequest, many.Beat());
        Assert.Contains("at most 50", many.LastMessage, StringComparison.Ordinal);
        ConsumerClient longNames = new(scene, "one") { Topics = Names(50, 2000) };
        Assert.Equal(CoordinatorError.InvalidRequest, longNames.Beat());
        Assert.Equal(CoordinatorError.None, new ConsumerClient(scene, "one") { Topics = Names(50, 900) }.Beat());
        Assert.Equal(CoordinatorError.InvalidRequest, Share(scene, "s", "m", Names(51, 10)).Error);
    }

    [Fact]
    public void Different_regular_expressions_are_counted_and_unused_ones_forgotten()
    {
        var scene = new GroupScene(Small with { RegexesMax = 3 });
        ConsumerClient[] clients =
        [
            .. Enumerable.Range(0, 4).Select(i => new ConsumerClient(scene, "c")
            {
                MemberId = $"{i}",
                Topics = [],
                Regex = $"topic-{i}.*",
            }),
        ];
        Assert.All(clients[..3], client => Assert.Equal(CoordinatorError.None, client.Beat()));
        Assert.Equal(CoordinatorError.InvalidRegularExpression, clients[3].Beat());
        Assert.Contains("3 different", clients[3].LastMessage, StringComparison.Ordinal);
        clients[3].Regex = clients[0].Regex;
        Assert.Equal(CoordinatorError.None, clients[3].Beat());
        clients[3].Leave();
        clients[1].Leave();

        // One member that looks for another pattern each time leaves nothing behind.
        for (int i = 0; i < 20; i++)
        {
            clients[2].Regex = $"other-{i}.*";
            Assert.Equal(CoordinatorError.None, clients[2].Beat());
        }
    }

    [Fact]
    public void Subscriptions_of_share_groups_count()
    {
        var scene = new GroupScene(Small with { GroupBytesMax = 800_000 });
        Assert.Equal(CoordinatorError.None, Share(scene, "s", "one", Names(1000, 350)).Error);
        Assert.Equal(CoordinatorError.GroupMaxSizeReached, Share(scene, "s", "two", Names(1000, 200)).Error);
        Assert.Equal(CoordinatorError.GroupMaxSizeReached, Share(scene, "x", "one", Names(1000, 450)).Error);
        Assert.Equal(["s"], scene.List().Select(group => group.GroupId));
        Assert.Equal(CoordinatorError.None, Share(scene, "s", "one", ["t"], epoch: 1).Error);
        Assert.Equal(CoordinatorError.None, Share(scene, "s", "two", Names(1000, 200)).Error);
        Assert.Equal(CoordinatorError.None, Share(scene, "s", "two", null, epoch: -1).Error);
        Assert.Equal(CoordinatorError.None, Share(scene, "s", "three", Names(1000, 350)).Error);
    }

    [Fact]
    public void Who_joins_a_group_that_would_be_one_too_many_hears_so()
    {
        var scene = new GroupScene(Small with { GroupsMax = 1 });
        Assert.Equal(CoordinatorError.None, scene.Commit(1, group: "first").Value.Error);
        Assert.Equal(CoordinatorError.PolicyViolation, new ConsumerClient(scene, "c").Beat());
        ConsumerHeartbeatResult refused = Share(scene, "s", "m", ["t"]);
        Assert.Equal(CoordinatorError.PolicyViolation, refused.Error);
        Assert.NotNull(refused.Message);
    }

    [Fact]
    public void Who_commits_offsets_of_a_group_that_would_be_one_too_many_hears_so_of_each()
    {
        var scene = new GroupScene(Small with { GroupsMax = 1 });
        Assert.Equal(CoordinatorError.None, scene.Commit(1, group: "first").Value.Error);
        Assert.Equal([CoordinatorError.PolicyViolation], scene.Commit(1, group: "second").Value.Offsets);
        Assert.Equal(1, scene.Coordinator.OffsetsRefusedTotal);
        Assert.Equal([CoordinatorError.None], scene.Commit(2, group: "first").Value.Offsets);
    }

    private static string[] Names(int count, int chars) =>
        [.. Enumerable.Range(0, count).Select(i => $"{i}".PadRight(chars, 'n'))];

    private static ConsumerHeartbeatResult Share(
        GroupScene scene, string group, string member, string[]? topics, int epoch = 0)
    {
        Answer<ConsumerHeartbeatResult> answer = new();
        scene.Coordinator.ShareHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = group,
                MemberId = member,
                MemberEpoch = epoch,
                SubscribedTopics = topics,
                Client = new GroupClient("client", "/127.0.0.1"),
            },
            answer.Take);
        return answer.Value;
    }
}
