using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>Groups go from one protocol to the other while they work.</summary>
public sealed class MigrationTests
{
    private readonly GroupScene _scene = new(new GroupOptions
    {
        AssignmentIntervalMs = 0,
        InitialRebalanceDelayMs = 0,
    });

    private readonly TopicInfo _topic;

    public MigrationTests() => _topic = _scene.Topics.Set("t", 4);

    [Fact]
    public void A_classic_group_is_taken_along_by_the_first_member_of_the_new_protocol_and_shares_with_it()
    {
        (string classic, int generation) = ClassicWithEverything();
        ConsumerClient modern = new(_scene, "modern");
        Assert.Equal(CoordinatorError.None, modern.Beat());
        Assert.Empty(modern.Owned);
        Assert.Equal(GroupType.Consumer, _scene.List().Single().Type);

        Assert.Equal(CoordinatorError.RebalanceInProgress, _scene.Heartbeat(classic, generation));
        // A cooperative member comes with what it has, is told to keep half, and comes again without the rest.
        JoinResult kept = Join(classic, 0, 1, 2, 3);
        Assert.Equal(CoordinatorError.None, kept.Error);
        Assert.Equal("", kept.LeaderId);
        int[] half = AssignmentOf(classic, kept.Generation);
        Assert.Equal(2, half.Length);
        Assert.Equal(CoordinatorError.RebalanceInProgress, _scene.Heartbeat(classic, kept.Generation));
        modern.Beat();
        Assert.Empty(modern.Owned);

        JoinResult settled = Join(classic, half);
        Assert.Equal(half, AssignmentOf(classic, settled.Generation));
        modern.Beat();
        Assert.Equal(2, modern.Owned.Count);
        Assert.Empty(modern.Owned.Select(p => p.Partition).Intersect(half));
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(classic, settled.Generation));
    }

    [Fact]
    public void When_the_last_member_of_the_new_protocol_leaves_the_classic_ones_lead_themselves_again()
    {
        (string classic, _) = ClassicWithEverything();
        ConsumerClient modern = new(_scene, "modern");
        modern.Beat();
        JoinResult joined = Join(classic);
        modern.Beat();
        Assert.Equal(CoordinatorError.None, modern.Leave());
        Assert.Equal(GroupType.Classic, _scene.List().Single().Type);
        Assert.Equal(CoordinatorError.RebalanceInProgress, _scene.Heartbeat(classic, joined.Generation));
        JoinResult again = Join(classic);
        Assert.Equal(classic, again.LeaderId);
        Assert.True(again.Generation > joined.Generation);
    }

    [Fact]
    public void A_mixed_group_outlives_a_crash()
    {
        (string classic, _) = ClassicWithEverything();
        ConsumerClient modern = new(_scene, "modern");
        modern.Beat();
        JoinResult joined = Join(classic);
        modern.Beat();
        int[] before = AssignmentOf(classic, joined.Generation);
        _scene.Crash();
        Assert.Equal(CoordinatorError.None, modern.Beat());
        Assert.Equal(2, modern.Owned.Count);
        Assert.Equal(before, AssignmentOf(classic, joined.Generation));
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(classic, joined.Generation));
    }

    [Fact]
    public void Offsets_stay_when_an_empty_group_changes_its_protocol_either_way()
    {
        (string classic, int generation) = ClassicWithEverything();
        _scene.Commit(11, classic, generation);
        _scene.Leave(classic);
        ConsumerClient modern = new(_scene, "modern");
        Assert.Equal(CoordinatorError.None, modern.Beat());
        Assert.Equal(4, modern.Owned.Count);
        Assert.Equal(11, _scene.Fetch().Committed.Offset);
        modern.Leave();
        Assert.Equal(CoordinatorError.None, Join("").Error);
        Assert.Equal(GroupType.Classic, _scene.List().Single().Type);
        _scene.Crash();
        Assert.Equal(11, _scene.Fetch().Committed.Offset);
    }

    [Fact]
    public void A_classic_group_that_holds_something_else_is_left_alone()
    {
        JoinResult joined = _scene.Join(metadata: "opaque").Value;
        _scene.Sync(joined.MemberId, 1, assignments: (joined.MemberId, ""));
        ConsumerClient modern = new(_scene, "modern");
        Assert.Equal(CoordinatorError.GroupIdNotFound, modern.Beat());
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(joined.MemberId, 1));
    }

    [Fact]
    public void A_new_classic_member_joins_a_group_of_the_new_protocol()
    {
        ConsumerClient modern = new(_scene, "modern");
        modern.Beat();
        JoinResult first = Join("", known: true);
        Assert.Equal(CoordinatorError.MemberIdRequired, first.Error);
        JoinResult joined = Join(first.MemberId, known: true);
        Assert.Equal(CoordinatorError.None, joined.Error);
        Assert.Empty(AssignmentOf(joined.MemberId, joined.Generation));
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(joined.MemberId, joined.Generation));
        modern.Beat();
        modern.Beat();
        Assert.Equal(CoordinatorError.RebalanceInProgress, _scene.Heartbeat(joined.MemberId, joined.Generation));
        joined = Join(joined.MemberId);
        Assert.Equal(2, AssignmentOf(joined.MemberId, joined.Generation).Length);
        Assert.Equal(CoordinatorError.IllegalGeneration, _scene.Heartbeat(joined.MemberId, joined.Generation - 1));
        Assert.Equal(CoordinatorError.None, _scene.Leave(joined.MemberId));
        modern.Beat();
        Assert.Equal(4, modern.Owned.Count);
    }

    [Fact]
    public void A_classic_group_whose_own_assignor_notes_something_in_assignments_is_left_alone()
    {
        (string classic, int generation) = ClassicWithEverything(ConsumerBytes.OwnAssignment("t", 0, 1, 2, 3));
        ConsumerClient modern = new(_scene, "modern");
        Assert.Equal(CoordinatorError.GroupIdNotFound, modern.Beat());
        Assert.Equal(CoordinatorError.None, _scene.Heartbeat(classic, generation));
    }

    private (string MemberId, int Generation) ClassicWithEverything(byte[]? assignment = null)
    {
        JoinResult joined = Join("");
        _scene.Coordinator.Sync(
            new SyncRequest
            {
                Member = new GroupMemberRef("g", joined.Generation, joined.MemberId, null),
                Assignments = [(joined.MemberId, assignment ?? ConsumerBytes.Assignment("t", 0, 1, 2, 3))],
            },
            _ => { });
        Assert.Equal("Stable", _scene.Describe().State);
        return (joined.MemberId, joined.Generation);
    }

    private JoinResult Join(string memberId, params int[] owned) => Join(memberId, known: false, owned);

    private JoinResult Join(string memberId, bool known, params int[] owned)
    {
        Answer<JoinResult> answer = new();
        _scene.Coordinator.Join(
            new JoinRequest
            {
                GroupId = "g",
                MemberId = memberId,
                Client = new GroupClient("old", "/127.0.0.1"),
                SessionTimeoutMs = 30_000,
                RebalanceTimeoutMs = 30_000,
                ProtocolType = "consumer",
                Protocols = [new MemberProtocol("cooperative-sticky", ConsumerBytes.Subscription("t", owned))],
                RequiresKnownMemberId = known,
            },
            answer.Take);
        return answer.Value;
    }

    private int[] AssignmentOf(string memberId, int generation)
    {
        SyncResult result = _scene.Sync(memberId, generation).Value;
        Assert.Equal(CoordinatorError.None, result.Error);
        return ConsumerBytes.ReadAssignment(result.Assignment);
    }
}
