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

    private string Stable(string assignment)
    {
        JoinResult joined = _scene.Join().Value;
        _scene.Sync(joined.MemberId, joined.Generation, assignments: (joined.MemberId, assignment));
        Assert.Equal("Stable", _scene.Describe().State);
        return joined.MemberId;
    }
}
