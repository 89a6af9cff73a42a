using Pillarbox.Broker.Management;
using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>Temporary destinations: nothing of them stays, and nothing is sent to what has gone.</summary>
public sealed class TemporaryDestinationTests
{
    private static readonly Destination Topic = new(DataType.TempTopic) { PhysicalName = "ID:peer:1" };
    private static readonly Destination Queue = new(DataType.TempQueue) { PhysicalName = "ID:peer:2" };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_sent_to_a_topic_without_a_subscriber_leaves_no_address_behind(bool isLarge)
    {
        using var scene = new OpenWireScene(new OpenWireOptions { LargeMessageBytesMin = 1000 });
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(Made(Topic)));
        Good(peer.Ask(Text(Topic, 1, isLarge)));
        Assert.DoesNotContain(Topic.PhysicalName, Addresses(scene));

        // Who comes gets what is sent from then on.
        Good(peer.Ask(OpenWireSteps.Consumer(Topic)));
        Good(peer.Ask(Text(Topic, 2, isLarge)));
        Assert.Equal(2, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
        Assert.Null(peer.Take<MessageDispatch>());
        peer.Cut();
        Assert.DoesNotContain(Topic.PhysicalName, Addresses(scene));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_sent_to_one_that_has_gone(bool isTopic)
    {
        Destination destination = isTopic ? Topic : Queue;
        using var scene = new OpenWireScene();
        OpenWirePeer maker = scene.InSession(loginAs: "maker");
        DestinationInfo made = Made(destination);
        made.ConnectionId = new ConnectionId { Value = "maker" };
        Good(maker.Ask(made));
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(Text(destination, 1)));
        maker.Cut();
        Response refused = peer.Ask(Text(destination, 2));
        Assert.Equal(
            ThrowableNames.InvalidDestination, Assert.IsType<ExceptionResponse>(refused).Exception!.ClassName);
        Assert.DoesNotContain(destination.PhysicalName, Addresses(scene));
    }

    // Its connection does not know that it has none any more.
    [Fact]
    public async Task Nor_to_a_queue_that_an_operator_has_removed()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(Made(Queue)));
        Task removal = scene.Broker.Management.DeleteQueueAsync(
            Identity.Node, "default", Queue.PhysicalName!, ifUnused: false);
        scene.Settle();
        await removal;
        Response refused = peer.Ask(Text(Queue, 1));
        Assert.Equal(
            ThrowableNames.InvalidDestination, Assert.IsType<ExceptionResponse>(refused).Exception!.ClassName);
        Assert.DoesNotContain(Queue.PhysicalName, Addresses(scene));
    }

    private static Message Text(Destination to, int number, bool isLarge = false)
    {
        Message message = OpenWireSteps.Text(to, number);
        message.Content = isLarge ? new byte[5000] : message.Content;
        return message;
    }

    private static DestinationInfo Made(Destination destination) =>
        new() { ConnectionId = OpenWireSteps.ConnectionId, Destination = destination };

    private static List<string> Addresses(OpenWireScene scene)
    {
        Task<IReadOnlyList<AddressView>> views = scene.Broker.Management.ListAddressesAsync(Identity.Node, "default");
        scene.Settle();
        return [.. views.GetAwaiter().GetResult().Select(view => view.Name)];
    }

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());
}
