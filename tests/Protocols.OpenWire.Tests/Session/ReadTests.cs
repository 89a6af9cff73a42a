using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Storage;
using Pillarbox.Storage.Tests;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>Messages that come from disk: slowly, or not at all.</summary>
public sealed class ReadTests
{
    private static readonly Destination Orders = Destination.Queue("orders");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_read_for_a_consumer_that_goes_was_no_attempt(bool goesWithConnection)
    {
        var files = new SlowReads(new MemoryFileSystem());
        using var scene = new OpenWireScene(
            new OpenWireOptions { LargeMessageBytesMin = 1000 },
            b => b with { FileSystem = files, LargeMessageBytesMin = 1000 });
        OpenWirePeer peer = scene.InSession();
        Message large = OpenWireSteps.Text(Orders, 1);
        large.Content = new byte[5000];
        Good(peer.Ask(large));
        files.Stop();
        OpenWirePeer gone = scene.InSession(loginAs: "gone");
        ConsumerInfo consumer = OpenWireSteps.Consumer(Orders, connection: "gone");
        Good(gone.Ask(consumer));
        Assert.Equal(1, files.Waiting);
        if (goesWithConnection)
        {
            gone.Cut();
        }
        else
        {
            Good(gone.Ask(new RemoveInfo { ObjectId = consumer.ConsumerId }));
        }

        files.GoOn();
        // The end of a connection waits for its read, with the clock's help.
        scene.Advance(1000);
        Assert.Equal(goesWithConnection, gone.IsEnded);
        Assert.Null(gone.Take<MessageDispatch>());
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        Assert.Equal(0, peer.Take<MessageDispatch>()!.RedeliveryCounter);

        // What was written counts, though nobody says whether it was seen.
        peer.Cut();
        OpenWirePeer last = scene.InSession();
        Good(last.Ask(OpenWireSteps.Consumer(Orders)));
        Assert.Equal(1, last.Take<MessageDispatch>()!.RedeliveryCounter);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_damaged_message_takes_no_place_in_the_prefetch(int prefetch)
    {
        var files = new MemoryFileSystem();
        using (var before = new OpenWireScene(configure: b => b with { FileSystem = files }))
        {
            OpenWirePeer sender = before.InSession();
            for (int number = 1; number <= 4; number++)
            {
                Message message = OpenWireSteps.Text(Orders, number);
                message.Content = number is 2 or 3 ? "canary"u8.ToArray() : message.Content;
                Good(sender.Ask(message));
            }
        }

        Assert.Equal(2, files.Damage("data/" + DataLayout.Journal, "canary"));
        using var scene = new OpenWireScene(configure: b => b with { FileSystem = files });
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Orders, prefetch)));
        foreach (int number in (int[])[1, 4])
        {
            Pull(peer, prefetch);
            MessageDispatch got = peer.Take<MessageDispatch>()!;
            Assert.Equal(number, got.Message!.MessageId!.ProducerSequence);
            Good(peer.Ask(OpenWireSteps.Ack(got)));
        }

        Pull(peer, prefetch);
        Assert.Null(peer.Take<MessageDispatch>()?.Message);
    }

    private static void Pull(OpenWirePeer peer, int prefetch)
    {
        if (prefetch == 0)
        {
            Good(peer.Ask(new MessagePull
            {
                ConsumerId = OpenWireSteps.ConsumerId, Destination = Orders, TimeoutMs = -1,
            }));
        }
    }

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());
}
