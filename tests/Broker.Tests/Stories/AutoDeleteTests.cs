using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>A queue that deletes itself takes no acknowledged message with it.</summary>
public sealed class AutoDeleteTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("q")]
    public void A_message_that_is_routed_keeps_the_queue(string? fixedAddress)
    {
        using Scene scene = AutoDeleting();
        Actor actor = scene.Connect();
        Use(scene, "q");
        Producer producer = actor.Producer(fixedAddress);
        actor.Send(producer, "a", to: "q");
        actor.Client.CloseProducer(producer);
        Sweep(scene, settle: false);
        Assert.NotNull(actor.Client.FindQueue("q"));
        scene.Settle();
        Assert.Equal([(1ul, null)], actor.Published);
        actor.Consume("q");
        Assert.Equal(["a"], actor.Take());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_message_in_a_transaction_keeps_the_queue_until_that_ends(bool commit)
    {
        using Scene scene = AutoDeleting();
        Actor actor = scene.Connect();
        Use(scene, "q");
        Transactions.Transaction transaction = actor.Client.Begin();
        actor.Send(actor.Producer(null), "a", transaction: transaction, to: "q");
        Sweep(scene, settle: true);
        Assert.NotNull(actor.Client.FindQueue("q"));
        actor.Client.Discharge(transaction, fail: !commit, 1);
        Sweep(scene, settle: true);
        Assert.Equal(commit, actor.Client.FindQueue("q") is not null);
    }

    [Fact]
    public void A_message_for_a_queue_that_went_makes_it_anew()
    {
        using Scene scene = AutoDeleting();
        Actor actor = scene.Connect();
        Use(scene, "q");
        Producer producer = actor.Producer(null);
        Sweep(scene, settle: true);
        Assert.Null(actor.Client.FindQueue("q"));
        actor.Send(producer, "a", to: "q");
        scene.Settle();
        actor.Consume("q");
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public void A_producer_of_one_queue_finds_it_again_after_it_went()
    {
        using Scene scene = AutoDeleting();
        Actor actor = scene.Connect();
        Use(scene, "a");
        actor.Queue("q", queue => queue with { Address = "a", AutoDelete = true });
        Producer producer = actor.Producer("a::q");
        scene.Broker.Management.DeleteQueueAsync(Identity.Node, "default", "q", ifUnused: true);
        scene.Settle();
        actor.Send(producer, "m");
        scene.Settle();
        actor.Consume("q");
        Assert.Equal(["m"], actor.Take());
    }

    [Fact]
    public void A_dead_letter_makes_its_queue_anew()
    {
        using Scene scene = AutoDeleting();
        Actor actor = scene.Connect();
        Use(scene, "DLQ");
        actor.Send("work", "bad");
        actor.Consume("work");
        Sweep(scene, settle: true);
        Assert.Null(actor.Client.FindQueue("DLQ"));
        actor.Settle(actor.Deliveries[0], new Outcome(OutcomeKind.Rejected));
        actor.Deliveries.Clear();
        actor.Consume("DLQ");
        Assert.Equal(["bad"], actor.Take());
    }

    [Fact]
    public async Task Nothing_is_on_its_way_to_a_queue_that_closed()
    {
        const int Rounds = 20_000;
        Queues.Approaches approaches = new();
        int inside = 0;
        int closings = 0;
        Task[] publishers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                if (approaches.TryEnter())
                {
                    Interlocked.Increment(ref inside);
                    Interlocked.Decrement(ref inside);
                    approaches.Leave();
                }
            }
        }))];
        while (!Task.WhenAll(publishers).IsCompleted || closings == 0)
        {
            if (approaches.TryClose())
            {
                Assert.Equal(0, Volatile.Read(ref inside));
                Assert.False(approaches.TryEnter());
                closings++;
                approaches.Reopen();
            }
        }

        await Task.WhenAll(publishers);
        Assert.True(approaches.TryEnter());
    }

    private static Scene AutoDeleting() => Scene.With("#", new AddressSettings { AutoDeleteQueues = true });

    /// <summary>The queue has had a consumer, and has none.</summary>
    private static void Use(Scene scene, string queue)
    {
        using BrokerClient client = scene.Connect("user").Client;
        client.ResolveQueue(new AddressName(queue, null), null);
        Consumer consumer = client.OpenConsumer(new ConsumerOptions { Queue = queue });
        scene.Settle();
        client.CloseConsumer(consumer, countAttempts: false);
        scene.Settle();
    }

    private static void Sweep(Scene scene, bool settle)
    {
        for (int i = 0; i < 25; i++)
        {
            scene.Clock.Advance(50);
            scene.Broker.Pump();
        }

        if (settle)
        {
            scene.Settle();
        }
    }
}
