using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>Messages of one group go to one consumer at a time, in their order.</summary>
public sealed class MessageGroupTests
{
    [Fact]
    public void A_group_stays_with_the_consumer_that_got_its_first_message()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        Actor two = scene.Connect("two");
        one.Queue("q");
        one.Consume("q");
        two.Consume("q");
        Send(scene, one, "a1", "b1", "a2", "a3", "b2", "b3", "a4");
        Actor ofA = one.Deliveries.Exists(d => one.Body(d) == "a1") ? one : two;
        Actor ofB = ofA == one ? two : one;
        Assert.Equal(["a1", "a2", "a3", "a4"], ofA.Take());
        Assert.Equal(["b1", "b2", "b3"], ofB.Take());
    }

    [Fact]
    public void The_first_message_that_a_consumer_gets_of_a_group_is_marked()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        Consumer first = one.Consume("q".Made(one));
        Send(scene, one, "a1", "a2", "-");
        Assert.Equal([true, false, false], one.Deliveries.Select(delivery => delivery.StartsGroup));
        one.Client.CloseConsumer(first, countAttempts: false);
        scene.Settle();
        one.Deliveries.Clear();
        one.Consume("q");
        Assert.Equal([true, false, false], one.Deliveries.Select(delivery => delivery.StartsGroup));
    }

    [Fact]
    public void A_consumer_without_credit_keeps_its_groups_and_the_others_get_the_rest()
    {
        using Scene scene = new();
        Actor full = scene.Connect("full");
        Actor free = scene.Connect("free");
        Consumer slow = full.Consume("q".Made(full), credit: 1);
        Send(scene, full, "a1");
        free.Consume("q");
        Send(scene, full, "a2", "a3", "b1", "-", "a4");
        Assert.Equal(["b1", "-"], free.Take());
        Assert.Equal(["a1"], full.Take());
        full.Client.Grant(slow, 2);
        scene.Settle();
        Assert.Equal(["a2", "a3"], full.Take());
        full.Client.Grant(slow, 5);
        scene.Settle();
        Assert.Equal(["a4"], full.Take());
        Assert.Empty(free.Take());
    }

    [Fact]
    public void When_a_consumer_leaves_another_one_gets_its_groups_from_their_first_message_on()
    {
        using Scene scene = new();
        Actor leaving = scene.Connect("leaving");
        Actor staying = scene.Connect("staying");
        Consumer consumer = leaving.Consume("q".Made(leaving), credit: 2);
        Send(scene, leaving, "a1", "a2");
        staying.Consume("q");
        Send(scene, leaving, "a3", "-", "a4");
        Assert.Equal(["-"], staying.Take());
        leaving.Client.CloseConsumer(consumer, countAttempts: false);
        scene.Settle();
        Assert.Equal(["a1", "a2", "a3", "a4"], staying.Take());
    }

    [Fact]
    public void What_fails_comes_again_to_the_same_consumer()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        Actor two = scene.Connect("two");
        one.Consume("q".Made(one), credit: 1);
        Send(scene, one, "a1");
        two.Consume("q");
        Send(scene, one, "a2");
        Delivery failed = one.Deliveries[0];
        one.Deliveries.Clear();
        one.Client.Grant(failed.Consumer, 2);
        one.Settle(failed, Outcome.Failed);
        Assert.Equal(["a1", "a2"], one.Take().Order());
        Assert.Empty(two.Take());
    }

    [Fact]
    public void The_last_message_of_a_group_sets_it_free()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        Actor two = scene.Connect("two");
        one.Consume("q".Made(one), credit: 3);
        Send(scene, one, "a1");
        two.Consume("q", credit: 10);
        Send(scene, one, "a2", "a!", "a5");
        Assert.Equal(["a1", "a2", "a!"], one.Take());
        Assert.Equal(["a5"], two.Take());
    }

    [Fact]
    public void What_waited_behind_the_last_message_of_a_group_is_anybodys()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        Actor two = scene.Connect("two");
        Consumer slow = one.Consume("q".Made(one), credit: 1);
        Send(scene, one, "a1");
        two.Consume("q");
        Send(scene, one, "a!", "a5", "a6");
        Assert.Empty(two.Take());
        one.Client.Grant(slow, 1);
        scene.Settle();
        Assert.Equal(["a1", "a!"], one.Take());
        Assert.Equal(["a5", "a6"], two.Take());
    }

    [Fact]
    public void Who_chooses_by_a_selector_takes_part_in_groups()
    {
        using Scene scene = new();
        Actor chooser = scene.Connect("chooser");
        Actor other = scene.Connect("other");
        Consumer choosing = chooser.Consume(
            "q".Made(chooser), with: options => options with { Selector = "JMSPriority = 4" });
        Send(scene, chooser, "a1");
        Consumer all = other.Consume("q");
        Send(scene, chooser, "a2", "b1", "b2");
        Actor ofB = chooser.Deliveries.Exists(d => chooser.Body(d) == "b1") ? chooser : other;
        Assert.Equal(ofB == chooser ? ["a1", "a2", "b1", "b2"] : ["a1", "a2"], chooser.Take());
        chooser.Client.CloseConsumer(choosing, countAttempts: false);
        scene.Settle();
        Assert.Equal(["a1", "a2", "b1", "b2"], other.Take().Order());
        // The other way round: the chooser looks again at what it had to leave.
        chooser.Consume("q", with: options => options with { Selector = "JMSPriority = 4" });
        Send(scene, chooser, "a3");
        Assert.Empty(chooser.Take());
        other.Client.CloseConsumer(all, countAttempts: false);
        scene.Settle();
        Assert.Equal(["a1", "a2", "a3", "b1", "b2"], chooser.Take().Order());
    }

    [Fact]
    public void A_browser_sees_every_group()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        Actor looking = scene.Connect("looking");
        one.Consume("q".Made(one), credit: 1);
        Send(scene, one, "a1", "a2", "b1");
        looking.Consume("q", with: options => options with { Browse = true });
        Assert.Equal(["a2", "b1"], looking.Take());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Groups_are_on_disk(bool isClean)
    {
        using Scene scene = new();
        scene.Connect().Queue("q");
        Send(scene, scene.Connect(), "a1", "a2", "b1", "a3");
        if (isClean)
        {
            scene.Restart();
        }
        else
        {
            scene.Crash();
        }

        Actor one = scene.Connect("one");
        Actor two = scene.Connect("two");
        one.Consume("q", credit: 1);
        two.Consume("q");
        Assert.Equal(["a1"], one.Take());
        Assert.Equal(["b1"], two.Take());
    }

    [Fact]
    public void A_transaction_keeps_groups()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        Actor two = scene.Connect("two");
        one.Consume("q".Made(one), credit: 1);
        two.Consume("q", credit: 5);
        Transactions.Transaction transaction = one.Client.Begin();
        Producer producer = one.Producer("q");
        one.Send(producer, "a1", InGroup("a1"), transaction);
        one.Send(producer, "a2", InGroup("a2"), transaction);
        one.Client.Discharge(transaction, fail: false, 1);
        scene.Settle();
        Assert.True(one.Deliveries.Count + two.Deliveries.Count is 1 or 2);
        Assert.True(one.Deliveries.Count == 0 || two.Deliveries.Count == 0, "the group was torn");
    }

    [Fact]
    public void Idle_groups_are_forgotten_beyond_a_bound_and_those_under_way_are_not()
    {
        using Scene scene = new();
        Actor one = scene.Connect("one");
        one.Consume("q".Made(one), credit: 1);
        Send(scene, one, "a1");
        Actor two = scene.Connect("two");
        two.Consume("q", credit: int.MaxValue);
        Producer producer = one.Producer("q");
        for (int i = 0; i < Queues.MessageGroups.RememberedMax + 100; i++)
        {
            string name = $"g{i}";
            one.Send(producer, name, header => header with
            {
                Durable = false,
                Group = MessageGroup.Of(Encoding.UTF8.GetBytes(name)),
            });
            if (i % 500 == 0)
            {
                scene.Settle();
                two.AcceptAll();
            }
        }

        scene.Settle();
        two.AcceptAll();
        Queues.Queue queue = one.Deliveries[0].Consumer.Queue;
        Assert.InRange(queue.Groups!.Count, 1, Queues.MessageGroups.RememberedMax);
        Send(scene, one, "a2");
        Assert.Empty(two.Take());
        Assert.Equal(["a1"], one.Take());
    }

    /// <summary>Consumers come and go with random credit: each message arrives, no group is with two consumers at once,
    /// and each consumer sees a group's messages in order while nothing is given back.</summary>
    [Fact]
    public void Whoever_comes_and_goes_no_group_is_torn()
    {
        SeededRandom random = Seeds.New(out string seed);
        using Scene scene = new();
        scene.Connect().Queue("q");
        Producer producer = scene.Actors[0].Producer("q");
        List<(Actor Actor, Consumer Consumer)> consumers = [];
        int sent = 0;
        HashSet<string> done = [];
        for (int step = 0; step < 400; step++)
        {
            switch (random.Next(5))
            {
                case 0 or 1:
                    string body = $"{(char)('a' + random.Next(6))}{sent++:d4}";
                    scene.Actors[0].Send(producer, body, InGroup(body));
                    break;
                case 2 when consumers.Count < 4:
                    Actor joining = scene.Connect($"c{step}");
                    string? selector = random.Next(3) == 0 ? "JMSPriority = 4" : null;
                    consumers.Add((joining, joining.Consume(
                        "q", 1 + random.Next(3), options => options with { Selector = selector })));
                    break;
                case 3 when consumers.Count > 0:
                    Work(consumers[random.Next(consumers.Count)], random, done);
                    break;
                case 4 when consumers.Count > 1 && random.Next(4) == 0:
                    (Actor leaving, Consumer gone) = consumers[random.Next(consumers.Count)];
                    consumers.RemoveAll(pair => pair.Actor == leaving);
                    leaving.Deliveries.Clear();
                    leaving.Client.CloseConsumer(gone, countAttempts: false);
                    break;
            }

            scene.Settle();
            AssertWhole(consumers, seed);
        }

        Actor last = scene.Connect("last");
        consumers.ForEach(pair => pair.Actor.Client.CloseConsumer(pair.Consumer, countAttempts: false));
        last.Consume("q", credit: 10_000);
        Assert.Equal(sent, done.Count + last.Deliveries.Count);
        Assert.True(last.Take().All(done.Add), seed);
    }

    private static void Work((Actor Actor, Consumer Consumer) worker, SeededRandom random, HashSet<string> done)
    {
        if (worker.Actor.Deliveries.Count > 0)
        {
            Delivery first = worker.Actor.Deliveries[0];
            worker.Actor.Deliveries.RemoveAt(0);
            Assert.True(done.Add(worker.Actor.Body(first)), "twice");
            worker.Actor.Client.Settle(first, Outcome.Accepted);
        }

        worker.Actor.Client.Grant(worker.Consumer, 1 + random.Next(2));
    }

    private static void AssertWhole(List<(Actor Actor, Consumer Consumer)> consumers, string seed)
    {
        var owners = new Dictionary<char, Actor>();
        foreach ((Actor actor, _) in consumers)
        {
            foreach (IGrouping<char, string> group in actor.Deliveries.Select(actor.Body).GroupBy(body => body[0]))
            {
                Assert.True(owners.TryAdd(group.Key, actor), $"group {group.Key} is with two consumers {seed}");
                Assert.Equal(group.Order(StringComparer.Ordinal), group);
            }
        }
    }

    // The letter is the group; "-" is in none; "!" ends it.
    private static Func<MessageHeader, MessageHeader> InGroup(string body) => header => header with
    {
        Group = body == "-" ? default
            : MessageGroup.Of(Encoding.UTF8.GetBytes(body[..1]), isLast: body[^1] == '!'),
    };

    private static void Send(Scene scene, Actor actor, params string[] bodies)
    {
        Producer producer = actor.Producer("q");
        foreach (string body in bodies)
        {
            actor.Send(producer, body, InGroup(body));
        }

        scene.Settle();
    }
}

internal static class MadeQueues
{
    /// <summary>Makes the queue; its name.</summary>
    public static string Made(this string queue, Actor actor)
    {
        actor.Queue(queue);
        return queue;
    }
}
