using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>Subscriptions by regular expressions: only what the member's user may know of, whatever the expression.
/// </summary>
public sealed class RegexSubscriptionTests
{
    private readonly GroupScene _scene = new(new GroupOptions { AssignmentIntervalMs = 0 });

    [Fact]
    public void An_expression_finds_only_what_its_members_user_may_know_of()
    {
        _scene.Topics.Set("logs-a", 2);
        _scene.Topics.Set("logs-secret", 3);
        ConsumerClient alice = Member("alice", "logs-.*", new Rights("logs-a"));
        Assert.Equal(CoordinatorError.None, alice.Beat());
        Assert.Equal(["logs-a"], Topics(alice));
        Assert.Equal(2, alice.Owned.Count);

        // Another user in the same group, with the same expression, gets the rest of it.
        ConsumerClient bob = Member("bob", "logs-.*", new Rights("logs-secret"));
        bob.Beat();
        Settle(alice, bob);
        Assert.Equal(["logs-a"], Topics(alice));
        Assert.Equal(["logs-secret"], Topics(bob));

        // A topic that comes later is judged as well.
        _scene.Topics.Set("logs-b", 1);
        Settle(alice, bob);
        Assert.DoesNotContain("logs-b", Topics(alice).Concat(Topics(bob)));
    }

    [Fact]
    public void Permissions_that_are_given_and_taken_count_with_the_next_heartbeat()
    {
        _scene.Topics.Set("logs-a", 1);
        _scene.Topics.Set("logs-b", 1);
        Rights rights = new("logs-a");
        ConsumerClient alice = Member("alice", "logs-.*", rights);
        ConsumerClient other = Member("other", "logs-.*", EveryTopic.Instance);
        alice.Beat();
        other.Beat();
        Settle(alice, other);
        Assert.Equal(["logs-a"], Topics(alice));

        rights.Set("logs-b");
        Settle(alice, other);
        Assert.Equal(["logs-b"], Topics(alice));
        Assert.Equal(["logs-a"], Topics(other));
        rights.Set();
        Settle(alice, other);
        Assert.Empty(Topics(alice));
        Assert.Equal(["logs-a", "logs-b"], Topics(other));
    }

    [Fact]
    public void The_connection_of_another_user_takes_a_member_to_what_that_user_may_know_of()
    {
        _scene.Topics.Set("logs-a", 1);
        _scene.Topics.Set("logs-b", 1);
        ConsumerClient alice = Member("alice", "logs-.*", new Rights("logs-a"));
        alice.Beat();
        alice.Access = new Rights("logs-b");
        Settle(alice);
        Assert.Equal(["logs-b"], Topics(alice));
    }

    /// <summary>Who a member's user is is not on disk.</summary>
    [Fact]
    public void After_a_start_members_have_what_they_had_and_nothing_moves()
    {
        _scene.Topics.Set("logs-a", 2);
        _scene.Topics.Set("logs-secret", 2);
        Rights rights = new("logs-a");
        ConsumerClient alice = Member("alice", "logs-.*", rights);
        ConsumerClient bob = Member("bob", "logs-.*", rights);
        alice.Beat();
        bob.Beat();
        Settle(alice, bob);
        int epoch = alice.Epoch;
        HashSet<TopicIdPartition> before = [.. alice.Owned];
        _scene.Crash();
        _scene.Topics.Set("unrelated", 1);
        Settle(bob, alice);
        Assert.Equal(epoch, alice.Epoch);
        Assert.True(before.SetEquals(alice.Owned));

        // A third member makes a new assignment before the second one is heard of again.
        _scene.Crash();
        ConsumerClient carol = Member("carol", "logs-.*", rights);
        carol.Beat();
        Assert.Equal(["logs-a"], Topics(alice).Union(Topics(bob)));
        Settle(alice, bob, carol);
        Assert.Equal(2, alice.Owned.Count + bob.Owned.Count + carol.Owned.Count);
    }

    [Fact]
    public void After_a_start_a_heartbeat_of_one_member_moves_nothing_of_another_that_is_not_heard_of_yet()
    {
        _scene.Topics.Set("logs-a", 1);
        _scene.Topics.Set("logs-b", 1);
        ConsumerClient alice = Member("alice", "logs-.*", EveryTopic.Instance);
        ConsumerClient bob = Member("bob", "logs-.*", EveryTopic.Instance);
        alice.Beat();
        bob.Beat();
        Settle(alice, bob);
        Assert.Equal((1, 1), (alice.Owned.Count, bob.Owned.Count));
        int epoch = alice.Epoch;
        _scene.Crash();
        _scene.Topics.Set("unrelated", 1);
        Settle(bob);
        Settle(alice, bob);
        Assert.Equal((epoch, epoch), (alice.Epoch, bob.Epoch));

        // What is there by then is found once all are heard of.
        _scene.Topics.Set("logs-c", 1);
        Settle(alice, bob);
        Assert.Equal(3, alice.Owned.Count + bob.Owned.Count);
    }

    [Fact]
    public void A_topic_that_went_and_came_again_is_found_again()
    {
        _scene.Topics.Set("logs-a", 1);
        ConsumerClient one = Member("one", "logs-.*", new Rights("logs-a"));
        one.Beat();
        for (int i = 0; i < 200; i++)
        {
            _scene.Topics.Remove("logs-a");
            Settle(one);
            Assert.Empty(one.Owned);
            _scene.Topics.Set("logs-a", 1);
            Settle(one);
            Assert.Single(one.Owned);
        }
    }

    /// <summary>Each is refused, or matched, over names that are as bad as can be. With an engine that goes back in its
    /// input, some of them would not end.</summary>
    [Theory]
    [InlineData("(a+)+b")]
    [InlineData("(a|a)*b")]
    [InlineData("(a|aa)+b")]
    [InlineData("([a-z]+)*[a-z]*[a-z]*[a-z]*1")]
    [InlineData("(.*a){500}b")]
    [InlineData("(((a{0,99}){0,99}){0,99}){0,99}b")]
    [InlineData("((((((((a?){9}){9}){9}){9}){9}){9}){9}){9}b")]
    [InlineData("[\\w-[\\p{Lu}]]{1000}.*[^a]{1000}")]
    [InlineData("(?i)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a]")]
    public void A_hostile_expression_costs_little(string pattern)
    {
        for (int i = 0; i < 500; i++)
        {
            _scene.Topics.Set(new string('a', 245) + i, 1);
        }

        ConsumerClient one = Member("one", pattern, EveryTopic.Instance);
        CoordinatorError error = one.Beat();
        Assert.True(error is CoordinatorError.None or CoordinatorError.InvalidRegularExpression, $"{error}");
    }

    [Fact]
    public void Brackets_comments_and_options_cannot_end_the_whole()
    {
        _scene.Topics.Set("ab", 1);
        foreach (string pattern in (string[])["(?x)a #", "a)(b", "a|", "(?#", "\\", "[", "a\\", "(?m)^a$|b"])
        {
            ConsumerClient one = Member("one", pattern, EveryTopic.Instance);
            Assert.True(
                one.Beat() is CoordinatorError.InvalidRegularExpression || one.Owned.Count == 0, pattern);
            one.Leave();
        }

        ConsumerClient whole = Member("one", "a|ab", EveryTopic.Instance);
        whole.Beat();
        Assert.Single(whole.Owned);
    }

    private ConsumerClient Member(string name, string pattern, ITopicAccess access) =>
        new(_scene, name) { MemberId = name, Topics = [], Regex = pattern, Access = access };

    private static void Settle(params ConsumerClient[] members)
    {
        for (int i = 0; i < 6; i++)
        {
            foreach (ConsumerClient member in members)
            {
                Assert.Equal(CoordinatorError.None, member.Beat());
            }
        }
    }

    private IEnumerable<string> Topics(ConsumerClient member) =>
        member.Owned.Select(p => _scene.Topics.Find(p.TopicId)!.Name).Distinct().Order(StringComparer.Ordinal);

    private sealed class Rights(params string[] topics) : ITopicAccess
    {
        public object Rules { get; private set; } = topics;

        public bool MaySee(string topic) => ((string[])Rules).Contains(topic);

        public void Set(params string[] now) => Rules = now;
    }
}
