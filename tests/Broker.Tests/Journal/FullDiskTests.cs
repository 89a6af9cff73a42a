using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Journal;

public sealed class FullDiskTests
{
    private const int Messages = 3000;

    [Fact]
    public async Task A_full_disk_holds_producers_back_lets_consumers_drain_and_resumes_by_itself()
    {
        FileFaults faults = new() { CapacityBytes = 1 << 20 };
        using Scene scene = new(options => options with
        {
            FileSystem = new FaultyFileSystem(options.FileSystem, faults, new SeededRandom(1)),
            SegmentBytes = 64 << 10,
            ProducerCredit = 50,
        });
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        int sent = Publish(scene, actor, producer, 0);
        Assert.InRange(sent, 100, Messages - 1);
        Assert.DoesNotContain(actor.Published, done => done.Error is not null);
        Actor reader = scene.Connect("reader");
        Consumer consumer = reader.Consume("q", credit: 100);
        int received = 0;
        for (int round = 0; round < 500 && received < Messages; round++)
        {
            received += reader.Deliveries.Count;
            reader.Client.Grant(consumer, Math.Max(1, reader.Deliveries.Count));
            reader.AcceptAll();
            scene.Advance(1000);
            sent = Publish(scene, actor, producer, sent);
        }

        Management.NodeView node = await scene.Broker.Management.GetNodeAsync();
        Assert.True(received == Messages, $"{received} received, {sent} sent, {node}");
        Assert.Equal(Messages, actor.Published.Count(done => done.Error is null));
    }

    [Fact]
    public async Task A_purge_that_the_disk_does_not_take_is_no_success()
    {
        FileFaults faults = new();
        using Scene scene = new(options => options with
        {
            FileSystem = new FaultyFileSystem(options.FileSystem, faults, new SeededRandom(1)),
        });
        scene.Connect().Send("q", "a", "b");
        faults.SyncFailure = 1;
        scene.Connect("other").Send("q", "c");
        Task<long> purge = scene.Broker.Management.PurgeAsync(Identity.Node, "default", "q");
        scene.Settle();
        BrokerException error = await Assert.ThrowsAsync<BrokerException>(() => purge);
        Assert.Equal(BrokerError.Unavailable, error.Error);
    }

    private static int Publish(Scene scene, Actor actor, Producer producer, int sent)
    {
        scene.Settle();
        while (sent < Messages && actor.Credit.GetValueOrDefault(producer) > 0)
        {
            for (; sent < Messages && actor.Credit[producer] > 0; sent++, actor.Credit[producer]--)
            {
                actor.Send(producer, new string('x', 1000));
            }

            scene.Settle();
        }

        return sent;
    }
}
