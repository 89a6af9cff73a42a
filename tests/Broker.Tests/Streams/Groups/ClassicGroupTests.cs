using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>The classic protocol, told as stories.</summary>
public sealed class ClassicGroupTests
{
    private readonly GroupScene _scene = new();

    [Fact]
    public void A_lone_member_joins_leads_and_gets_what_it_assigns()
    {
        JoinResult joined = _scene.Join().Value;
        Assert.Equal(CoordinatorError.None, joined.Error);
        Assert.Equal(1, joined.Generation);
        Assert.Equal("range", joined.ProtocolName);
        Assert.Equal(joined.MemberId, joined.LeaderId);
        Assert.Single(joined.Members);
        Assert.StartsWith("client-", joined.MemberId);

        SyncResult synced = _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, "all")).Value;
        Assert.Equal("all", GroupScene.Text(synced.Assignment));
        Assert.Equal("Stable", _scene.Describe().State);
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(joined.MemberId, 1));
    }

    [Fact]
    public void A_new_member_of_a_later_version_gets_an_id_first()
    {
        JoinResult first = _scene.Join(knownId: true).Value;
        Assert.Equal(CoordinatorError.MemberIdRequired, first.Error);
        Assert.NotEqual("", first.MemberId);
        Assert.Empty(_scene.Describe().Members);

        JoinResult second = _scene.Join(first.MemberId, knownId: true).Value;
        Assert.Equal(CoordinatorError.None, second.Error);
        Assert.Equal(first.MemberId, second.MemberId);
    }

    [Fact]
    public void A_second_member_makes_the_first_join_again()
    {
        string one = Stable("one");
        Answer<JoinResult> two = _scene.Join();
        Assert.False(two.HasCome);
        Assert.Equal(CoordinatorError.RebalanceInProgress, _scene.Heartbeat(one, 1));

        JoinResult oneAgain = _scene.Join(one).Value;
        Assert.Equal(2, oneAgain.Generation);
        Assert.Equal(one, oneAgain.LeaderId);
        Assert.Equal(2, oneAgain.Members.Count);
        Assert.Empty(two.Value.Members);

        Answer<SyncResult> follower = _scene.Sync(two.Value.MemberId, 2);
        Assert.False(follower.HasCome);
        _scene.Sync(one, 2, assignments: [(one, "a"), (two.Value.MemberId, "b")]);
        Assert.Equal("b", GroupScene.Text(follower.Value.Assignment));
    }

    [Fact]
    public void The_assignment_is_told_only_when_it_is_on_disk()
    {
        JoinResult joined = _scene.Join().Value;
        _scene.Log.SyncsAtOnce = false;
        Answer<SyncResult> synced = _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, "a"));
        Assert.False(synced.HasCome);
        Assert.Equal("CompletingRebalance", _scene.Describe().State);
        _scene.Log.Sync();
        Assert.Equal("a", GroupScene.Text(synced.Value.Assignment));
    }

    [Fact]
    public void A_disk_that_fails_under_the_assignment_is_told_to_everybody()
    {
        JoinResult joined = _scene.Join().Value;
        _scene.Log.SyncsAtOnce = false;
        Answer<SyncResult> synced = _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, "a"));
        _scene.Log.Fail();
        Assert.Equal(CoordinatorError.CoordinatorNotAvailable, synced.Value.Error);
    }

    [Fact]
    public void A_full_disk_refuses_the_assignment_and_the_group_goes_round_again()
    {
        JoinResult joined = _scene.Join().Value;
        _scene.Log.IsFull = true;
        Assert.Equal(
            CoordinatorError.CoordinatorNotAvailable,
            _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, "a")).Value.Error);
        _scene.Log.IsFull = false;
        JoinResult again = _scene.Join(joined.MemberId).Value;
        Assert.Equal(2, again.Generation);
    }

    [Fact]
    public void A_first_rebalance_waits_for_others_and_a_little_longer_when_they_come()
    {
        GroupScene scene = new(new GroupOptions { InitialRebalanceDelayMs = 3_000 });
        Answer<JoinResult> one = scene.Join();
        scene.Advance(2_000);
        Answer<JoinResult> two = scene.Join();
        scene.Advance(1_500);
        Assert.False(one.HasCome);
        scene.Advance(3_000);
        Assert.Equal(1, one.Value.Generation);
        Assert.Equal(1, two.Value.Generation);
        Assert.Equal(2, one.Value.Members.Count);
    }

    [Fact]
    public void Who_does_not_join_again_in_time_is_left_behind()
    {
        string one = Stable("a");
        Answer<JoinResult> two = _scene.Join();
        for (int i = 0; i < 12; i++)
        {
            _scene.Advance(5_000);
            _scene.Heartbeat(one, 1);
        }

        Assert.Equal(2, two.Value.Generation);
        Assert.Equal(two.Value.MemberId, two.Value.LeaderId);
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Heartbeat(one, 1));
    }

    [Fact]
    public void Who_is_silent_for_a_session_is_out()
    {
        string one = Stable("a");
        _scene.Advance(9_000);
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(one, 1));
        _scene.Advance(10_100);
        Assert.Equal("Empty", _scene.Describe().State);
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Heartbeat(one, 1));
    }

    [Fact]
    public void Who_joined_but_never_asks_for_its_assignment_is_out()
    {
        string one = Stable("a");
        Answer<JoinResult> two = _scene.Join(rebalanceMs: 60_000, sessionMs: 300_000);
        JoinResult again = _scene.Join(one, sessionMs: 300_000).Value;
        _scene.Sync(one, 2, assignments: (one, "a"));
        Assert.Equal(2, again.Generation);
        _scene.Advance(60_200);
        Assert.Equal("PreparingRebalance", _scene.Describe().State);
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Heartbeat(two.Value.MemberId, 2));
    }

    [Fact]
    public void Leaving_starts_a_rebalance_or_empties_the_group()
    {
        string one = Stable("a");
        Answer<JoinResult> two = _scene.Join();
        _scene.Join(one);
        _scene.Sync(one, 2, assignments: (one, "a"));
        Assert.Equal(CoordinatorError.None, _scene.Leave(two.Value.MemberId));
        Assert.Equal(CoordinatorError.RebalanceInProgress, _scene.Heartbeat(one, 2));
        Assert.Equal(CoordinatorError.None, _scene.Leave(one));
        Assert.Equal("Empty", _scene.Describe().State);
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Leave(one));
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Leave("x", group: "nowhere"));
    }

    [Fact]
    public void A_member_that_got_an_id_and_never_came_back_holds_nobody_up()
    {
        string one = Stable("a");
        JoinResult pending = _scene.Join(knownId: true).Value;
        Answer<JoinResult> again = _scene.Join(one, protocols: "range", metadata: "changed");
        Assert.False(again.HasCome);
        Assert.Equal(CoordinatorError.None, _scene.Leave(pending.MemberId));
        Assert.Equal(2, again.Value.Generation);

        _scene.Join(knownId: true);
        Answer<JoinResult> third = _scene.Join(one, metadata: "changed again");
        Assert.False(third.HasCome);
        _scene.Advance(10_200);
        Assert.Equal(3, third.Value.Generation);
    }

    [Fact]
    public void Old_generations_strange_members_and_other_protocols_are_refused()
    {
        string one = Stable("a");
        Assert.Equal(CoordinatorError.IllegalGeneration, _scene.Heartbeat(one, 0));
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Heartbeat("nobody", 1));
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Join("nobody").Value.Error);
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Join("x", group: "new").Value.Error);
        Assert.Equal(CoordinatorError.InconsistentGroupProtocol, _scene.Join(protocols: "sticky").Value.Error);
        Assert.Equal(CoordinatorError.InvalidSessionTimeout, _scene.Join(sessionMs: 5_999).Value.Error);
        Assert.Equal(CoordinatorError.InvalidGroupId, _scene.Join(group: "").Value.Error);
        Assert.Equal(CoordinatorError.IllegalGeneration, _scene.Sync(one, 7).Value.Error);
        Answer<SyncResult> other = new();
        _scene.Coordinator.Sync(
            new SyncRequest { Member = new GroupMemberRef("g", 1, one, null), ProtocolName = "sticky" }, other.Take);
        Assert.Equal(CoordinatorError.InconsistentGroupProtocol, other.Value.Error);
    }

    [Fact]
    public void The_protocol_is_the_common_one_that_most_like_best()
    {
        string one = Stable("a", "range,sticky");
        Answer<JoinResult> two = _scene.Join(protocols: "sticky,range");
        Answer<JoinResult> three = _scene.Join(protocols: "sticky");
        JoinResult again = _scene.Join(one, protocols: "range,sticky").Value;
        Assert.Equal("sticky", again.ProtocolName);
        Assert.Equal("sticky", two.Value.ProtocolName);
        Assert.Equal("sticky", three.Value.ProtocolName);
    }

    [Fact]
    public void A_follower_that_asks_again_with_nothing_new_gets_the_same_generation()
    {
        string one = Stable("a");
        Answer<JoinResult> joins = _scene.Join();
        _scene.Join(one);
        string two = joins.Value.MemberId;
        Assert.Equal(2, _scene.Join(two).Value.Generation);
        _scene.Sync(one, 2, assignments: [(one, "a"), (two, "b")]);
        Assert.Equal(2, _scene.Join(two).Value.Generation);
        Assert.Equal("b", GroupScene.Text(_scene.Sync(two, 2).Value.Assignment));
        Assert.False(_scene.Join(one).HasCome);
        Assert.Equal(CoordinatorError.RebalanceInProgress, _scene.Heartbeat(two, 2));
    }

    [Fact]
    public void The_group_has_a_size()
    {
        GroupScene scene = new(new GroupOptions { InitialRebalanceDelayMs = 0, MembersMax = 1 });
        JoinResult one = scene.Join().Value;
        Assert.Equal(CoordinatorError.GroupMaxSizeReached, scene.Join().Value.Error);
        Assert.Equal(CoordinatorError.None, scene.Join(one.MemberId).Value.Error);
    }

    [Fact]
    public void Only_so_many_get_an_id_and_do_not_come_back()
    {
        GroupScene scene = new(new GroupOptions { InitialRebalanceDelayMs = 0, MembersMax = 2 });
        Assert.Equal(CoordinatorError.MemberIdRequired, scene.Join(knownId: true).Value.Error);
        Assert.Equal(CoordinatorError.MemberIdRequired, scene.Join(knownId: true).Value.Error);
        Assert.Equal(CoordinatorError.GroupMaxSizeReached, scene.Join(knownId: true).Value.Error);
        scene.Advance(10_200);
        Assert.Equal(CoordinatorError.MemberIdRequired, scene.Join(knownId: true).Value.Error);
    }

    [Fact]
    public void A_static_member_comes_back_without_a_rebalance_and_fences_its_earlier_self()
    {
        JoinResult leader = _scene.Join(instance: "one").Value;
        Answer<JoinResult> second = _scene.Join(instance: "two");
        _scene.Join(leader.MemberId, "one");
        string two = second.Value.MemberId;
        _scene.Sync(leader.MemberId, 2, "one", assignments: [(leader.MemberId, "a"), (two, "b")]);

        JoinResult back = _scene.Join(instance: "two").Value;
        Assert.Equal(CoordinatorError.None, back.Error);
        Assert.Equal(2, back.Generation);
        Assert.NotEqual(two, back.MemberId);
        Assert.Equal("b", GroupScene.Text(_scene.Sync(back.MemberId, 2, "two").Value.Assignment));
        Assert.Equal(CoordinatorError.FencedInstanceId, _scene.Heartbeat(two, 2, "two"));
        Assert.Equal(CoordinatorError.FencedInstanceId, _scene.Sync(two, 2, "two").Value.Error);
        Assert.Equal(CoordinatorError.FencedInstanceId, _scene.Join(two, "two").Value.Error);
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Heartbeat(two, 2, "three"));
        Assert.Equal("Stable", _scene.Describe().State);
    }

    /// <summary>It is away for a moment, and has its session's time to come back.</summary>
    [Fact]
    public void A_static_member_that_misses_a_rebalance_stays_until_its_session_ends()
    {
        JoinResult leader = _scene.Join(instance: "one", sessionMs: 30_000, rebalanceMs: 5_000).Value;
        Answer<JoinResult> second = _scene.Join(instance: "two", sessionMs: 30_000, rebalanceMs: 5_000);
        _scene.Join(leader.MemberId, "one", sessionMs: 30_000, rebalanceMs: 5_000);
        string two = second.Value.MemberId;
        _scene.Sync(leader.MemberId, 2, "one", assignments: [(leader.MemberId, "a"), (two, "b")]);
        _scene.Sync(two, 2, "two");

        // A third one comes; the second does not.
        Answer<JoinResult> third = _scene.Join(sessionMs: 30_000, rebalanceMs: 5_000);
        Answer<JoinResult> again = _scene.Join(leader.MemberId, "one", sessionMs: 30_000, rebalanceMs: 5_000);
        _scene.Advance(5_100);
        Assert.Equal((3, 3), (third.Value.Generation, again.Value.Members.Count));
        Assert.Contains(two, again.Value.Members.Select(member => member.MemberId));
        _scene.Sync(leader.MemberId, 3, "one", assignments: (leader.MemberId, "a"));
        for (int i = 0; i < 6; i++)
        {
            _scene.Advance(5_000);
            _scene.Heartbeat(leader.MemberId, 3, "one");
            _scene.Heartbeat(third.Value.MemberId, 3);
        }

        Assert.DoesNotContain(two, _scene.Describe().Members.Select(member => member.MemberId));
    }

    [Fact]
    public void A_static_leader_that_comes_back_may_skip_the_assignment()
    {
        JoinResult one = _scene.Join(instance: "one").Value;
        _scene.Sync(one.MemberId, 1, "one", assignments: (one.MemberId, "a"));
        JoinResult skips = _scene.Join(instance: "one", maySkip: true).Value;
        Assert.True(skips.SkipAssignment);
        Assert.Equal(skips.MemberId, skips.LeaderId);
        Assert.Single(skips.Members);
        JoinResult old = _scene.Join(instance: "one").Value;
        Assert.False(old.SkipAssignment);
        Assert.NotEqual(old.MemberId, old.LeaderId);
        Assert.Equal("a", GroupScene.Text(_scene.Sync(old.MemberId, 1, "one").Value.Assignment));
    }

    [Fact]
    public void A_static_member_that_waits_in_a_join_is_fenced_when_it_comes_twice()
    {
        string one = Stable("a");
        Answer<JoinResult> first = _scene.Join(instance: "two");
        Answer<JoinResult> second = _scene.Join(instance: "two");
        Assert.Equal(CoordinatorError.FencedInstanceId, first.Value.Error);
        _scene.Join(one);
        Assert.Equal(CoordinatorError.None, second.Value.Error);
    }

    [Fact]
    public void A_static_member_leaves_by_its_name_alone()
    {
        JoinResult one = _scene.Join(instance: "one").Value;
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Leave("", "other"));
        Assert.Equal(CoordinatorError.FencedInstanceId, _scene.Leave("somebody", "one"));
        Assert.Equal(CoordinatorError.None, _scene.Leave("", "one"));
        Assert.Equal(CoordinatorError.UnknownMemberId, _scene.Heartbeat(one.MemberId, 1));
    }

    [Fact]
    public void A_stable_group_outlives_a_crash_and_nobody_has_to_join_again()
    {
        string one = Stable("assigned");
        _scene.Crash();
        Assert.Equal("Stable", _scene.Describe().State);
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(one, 1));
        Assert.Equal("assigned", GroupScene.Text(_scene.Sync(one, 1).Value.Assignment));
        Assert.Equal("m", GroupScene.Text(_scene.Describe().Members.Single().Metadata));
        _scene.Crash();
        _scene.Advance(10_200);
        Assert.Equal("Empty", _scene.Describe().State);
        _scene.Crash();
        Assert.Equal("Empty", _scene.Describe().State);
        Assert.Equal(3, _scene.Join().Value.Generation);
    }

    [Fact]
    public void An_empty_group_is_deleted_a_full_one_is_not()
    {
        string one = Stable("a");
        Assert.Equal(CoordinatorError.NonEmptyGroup, _scene.Delete());
        _scene.Leave(one);
        Assert.Equal(CoordinatorError.None, _scene.Delete());
        Assert.Equal(CoordinatorError.GroupIdNotFound, _scene.Delete());
        Assert.Equal(CoordinatorError.GroupIdNotFound, _scene.Describe().Error);
        _scene.Crash();
        Assert.Empty(_scene.List());
    }

    [Fact]
    public void A_join_that_is_refused_leaves_no_group_behind()
    {
        Answer<JoinResult> answer = new();
        _scene.Coordinator.Join(
            new JoinRequest
            {
                GroupId = "x",
                MemberId = "",
                SessionTimeoutMs = 10_000,
                ProtocolType = "consumer",
                Protocols = [],
            },
            answer.Take);
        Assert.Equal(CoordinatorError.InconsistentGroupProtocol, answer.Value.Error);
        Assert.Empty(_scene.List());
    }

    private string Stable(string assignment, string protocols = "range")
    {
        JoinResult joined = _scene.Join(protocols: protocols).Value;
        _scene.Sync(joined.MemberId, joined.Generation, assignments: (joined.MemberId, assignment));
        Assert.Equal("Stable", _scene.Describe().State);
        return joined.MemberId;
    }
}
