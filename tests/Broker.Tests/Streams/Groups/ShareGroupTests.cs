using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>Members of share groups, told as stories.</summary>
public sealed class ShareGroupTests
{
    private readonly GroupScene _scene = new();

    public ShareGroupTests() => _scene.Topics.Set("t", 3);

    [Fact]
    public void Members_share_partitions_also_when_there_are_more_members()
    {
        Assert.Equal(3, Beat("a", 0).Assignment!.Count);
        ConsumerHeartbeatResult b = Beat("b", 0);
        Assert.InRange(b.Assignment!.Count, 1, 2);
        for (int i = 0; i < 5; i++)
        {
            Assert.NotEmpty(Beat($"c{i}", 0).Assignment!);
        }

        ConsumerGroupView view = Describe();
        Assert.Equal(7, view.Members.Count);
        Assert.Equal(3, view.Members.SelectMany(m => m.Assignment).Distinct().Count());
        Assert.All(view.Members, m => Assert.Single(m.Assignment));
        Assert.Equal((GroupType.Share, "Stable"), (_scene.List().Single().Type, view.State));
    }

    [Fact]
    public void A_member_hears_of_a_new_share_with_its_next_heartbeat()
    {
        int epoch = Beat("a", 0).MemberEpoch;
        Assert.Null(Beat("a", epoch, null).Assignment);
        Beat("b", 0);
        ConsumerHeartbeatResult next = Beat("a", epoch, null);
        Assert.Equal(epoch + 1, next.MemberEpoch);
        Assert.NotNull(next.Assignment);
        _scene.Topics.Set("t", 6);
        Assert.Equal(3, Beat("a", next.MemberEpoch, null).Assignment!.Count);
    }

    [Fact]
    public void Who_leaves_or_falls_silent_is_told_to_whoever_keeps_its_records()
    {
        List<string> gone = [];
        _scene.Coordinator.ShareMemberGone = (group, member) => gone.Add($"{group}/{member}");
        Beat("a", 0);
        Beat("b", 0);
        Assert.Equal(CoordinatorError.None, Beat("a", -1, null).Error);
        Assert.Equal(["g/a"], gone);
        Assert.Equal(3, Describe().Members.Single().Assignment.Count);
        _scene.Advance(45_200);
        Assert.Equal(["g/a", "g/b"], gone);
        Assert.Equal("Empty", Describe().State);
        Assert.Equal(CoordinatorError.UnknownMemberId, Beat("b", 5, null).Error);
    }

    [Fact]
    public void A_share_group_outlives_a_crash_and_is_deleted_when_nobody_is_in_it()
    {
        string? deleted = null;
        int epoch = Beat("a", 0).MemberEpoch;
        _scene.Crash();
        _scene.Coordinator.ShareGroupDeleted = group => deleted = group;
        Assert.Equal(CoordinatorError.None, Beat("a", epoch, null).Error);
        Assert.Equal(3, Describe().Members.Single().Assignment.Count);
        Assert.Equal(CoordinatorError.NonEmptyGroup, _scene.Delete());
        Beat("a", -1, null);
        Assert.Equal(CoordinatorError.None, _scene.Delete());
        Assert.Equal("g", deleted);
        _scene.Crash();
        Assert.Empty(_scene.List());
    }

    [Fact]
    public void Protocols_do_not_mix()
    {
        Beat("a", 0);
        Assert.Equal(CoordinatorError.InconsistentGroupProtocol, _scene.Join().Value.Error);
        Assert.Equal(CoordinatorError.GroupIdNotFound, new ConsumerClient(_scene, "c").Beat());
        Assert.Equal(CoordinatorError.GroupIdNotFound, GroupScene.ErrorOf(_scene.Commit(1)));
        Assert.Equal(CoordinatorError.GroupIdNotFound, _scene.Describe().Error);
        _scene.Join(group: "classic");
        Assert.Equal(CoordinatorError.GroupIdNotFound, Beat("a", 0, group: "classic").Error);
    }

    [Theory]
    [InlineData("", 0, "t")]
    [InlineData("m", -2, "t")]
    [InlineData("m", 0, null)]
    public void Nonsense_is_refused_with_a_sentence(string member, int epoch, string? topic)
    {
        ConsumerHeartbeatResult result = Beat(member, epoch, topic);
        Assert.Equal(CoordinatorError.InvalidRequest, result.Error);
        Assert.NotNull(result.Message);
    }

    private ConsumerHeartbeatResult Beat(string member, int epoch, string? topic = "t", string group = "g")
    {
        Answer<ConsumerHeartbeatResult> answer = new();
        _scene.Coordinator.ShareHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = group,
                MemberId = member,
                MemberEpoch = epoch,
                SubscribedTopics = topic is null ? null : [topic],
            },
            answer.Take);
        return answer.Value;
    }

    private ConsumerGroupView Describe()
    {
        Answer<ConsumerGroupView> answer = new();
        _scene.Coordinator.ShareDescribe("g", answer.Take);
        return answer.Value;
    }
}
