using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>The numbers of producers whose messages may come again.</summary>
public sealed class ProducerMemoryTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_in_the_journal_is_remembered_though_it_is_consumed(bool isClean)
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        ProducerMemory memory = actor.Client.RememberProducer("p");
        Assert.False(memory.Has(0));
        Producer producer = actor.Producer("q");
        Send(actor, producer, memory, 1);
        Send(actor, producer, memory, 2);
        actor.Consume("q");
        actor.AcceptAll();
        Assert.True(memory.Has(2));
        Assert.False(memory.Has(3));
        if (isClean)
        {
            scene.Restart();
        }
        else
        {
            scene.Crash();
        }

        ProducerMemory again = scene.Connect().Client.RememberProducer("p");
        Assert.True(again.Has(2));
        Assert.False(again.Has(3));
    }

    [Fact]
    public void Restart_after_restart()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Send(actor, actor.Producer("q"), actor.Client.RememberProducer("p"), 7);
        scene.Settle();
        for (int i = 0; i < 3; i++)
        {
            scene.Restart();
            scene.Crash();
        }

        Assert.True(scene.Connect().Client.RememberProducer("p").Has(7));
    }

    [Fact]
    public void Each_user_has_its_own()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Send(actor, actor.Producer("q"), actor.Client.RememberProducer("p"), 7);
        scene.Settle();
        Actor other = scene.Connect(who: new Identity("other", [], IsAnonymous: false));
        Assert.False(other.Client.RememberProducer("p").Has(7));
    }

    [Fact]
    public void What_is_not_durable_or_not_committed_is_not_remembered()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        ProducerMemory memory = actor.Client.RememberProducer("p");
        Producer producer = actor.Producer("q");
        producer.NumberNext(memory, 1);
        actor.Send(producer, "gone with the node", header => header with { Durable = false });
        scene.Settle();
        Transactions.Transaction transaction = actor.Client.Begin();
        producer.NumberNext(memory, 2);
        actor.Send(producer, "rolled back", transaction: transaction);
        actor.Client.Discharge(transaction, fail: true, 1);
        scene.Settle();
        Assert.False(memory.Has(1));
        transaction = actor.Client.Begin();
        producer.NumberNext(memory, 3);
        actor.Send(producer, "committed", transaction: transaction);
        Assert.False(memory.Has(3));
        actor.Client.Discharge(transaction, fail: false, 2);
        scene.Settle();
        Assert.True(memory.Has(3));
        scene.Crash();
        Assert.True(scene.Connect().Client.RememberProducer("p").Has(3));
    }

    [Fact]
    public void A_repeated_message_is_told_in_its_turn_and_when_the_first_one_is_on_disk()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        ProducerMemory memory = actor.Client.RememberProducer("p");
        Producer producer = actor.Producer("q");
        Send(actor, producer, memory, 1);
        actor.Client.Flush();
        Actor back = scene.Connect();
        Producer again = back.Producer("q");
        back.Client.Repeat(again, 5);
        back.Client.Flush();
        back.Client.DrainInbox(back);
        Assert.Empty(back.Published);
        scene.Settle();
        Assert.Equal([(5UL, (BrokerException?)null)], back.Published);
        back.Consume("q");
        Assert.Equal(["1"], back.Take());
    }

    [Fact]
    public void Who_will_not_send_again_is_forgotten()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        ProducerMemory memory = actor.Client.RememberProducer("p");
        Send(actor, actor.Producer("q"), memory, 1);
        scene.Settle();
        actor.Client.ForgetProducer(memory);
        Assert.False(actor.Client.RememberProducer("p").Has(1));
    }

    [Fact]
    public void Of_those_that_nobody_uses_the_oldest_are_forgotten()
    {
        var memories = new ProducerMemories();
        ProducerMemory used = memories.Use(1);
        used.Advance(1);
        for (int i = 2; i < ProducerMemories.RememberedMax + 100; i++)
        {
            ProducerMemory one = memories.Use((UInt128)(uint)i);
            one.Advance(1);
            memories.Release(one, isOver: false);
        }

        Assert.Equal(ProducerMemories.RememberedMax + 1, memories.Count);
        Assert.True(memories.Use(1).Has(1));
        Assert.False(memories.Use(2).Has(1));
    }

    private static void Send(Actor actor, Producer producer, ProducerMemory memory, long number)
    {
        producer.NumberNext(memory, number);
        actor.Send(producer, $"{number}");
        actor.Client.Flush();
    }
}
