using Pillarbox.Broker.Addresses;
using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>A client with the failover transport that comes back and sends again what was not answered.</summary>
public sealed class ReconnectTests
{
    private static readonly Destination Orders = Destination.Queue("orders");

    [Fact]
    public void What_the_node_has_is_answered_and_not_stored_again()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Reconnected(scene, isFirst: true);
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 2)));
        peer.Cut();
        OpenWirePeer again = Reconnected(scene);
        Good(again.Ask(OpenWireSteps.Text(Orders, 2)));
        Good(again.Ask(OpenWireSteps.Text(Orders, 3)));
        Assert.Equal([1, 2, 3], TakeAll(again));
    }

    [Fact]
    public void Also_when_it_was_consumed_and_by_the_relay_and_to_several_destinations()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Reconnected(scene, isFirst: true);
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("orders,bills"), 1)));
        Assert.Equal([1], TakeAll(peer));
        peer.Cut();
        OpenWirePeer again = Reconnected(scene);
        Good(again.Ask(OpenWireSteps.Text(Destination.Queue("orders,bills"), 1)));
        Assert.Empty(TakeAll(again));
        Good(again.Ask(OpenWireSteps.Text(Destination.Queue("orders,bills"), 2)));
        Assert.Equal([2], TakeAll(again));
    }

    [Fact]
    public void What_a_transaction_did_not_commit_is_stored_when_it_comes_again()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Reconnected(scene, isFirst: true);
        Send(peer, 1, commits: false);
        peer.Cut();
        OpenWirePeer again = Reconnected(scene);
        Send(again, 1, commits: true);
        Assert.Equal([1], TakeAll(again));
    }

    [Fact]
    public void A_client_that_does_not_say_that_it_came_back_is_taken_at_its_word()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Reconnected(scene, isFirst: true);
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        peer.Cut();
        OpenWirePeer again = Reconnected(scene, isFirst: true);
        Good(again.Ask(OpenWireSteps.Text(Orders, 1)));
        Assert.Equal([1, 1], TakeAll(again));
    }

    [Fact]
    public void A_large_message_is_not_stored_again_either()
    {
        using var scene = new OpenWireScene(new OpenWireOptions { LargeMessageBytesMin = 1024 });
        OpenWirePeer peer = Reconnected(scene, isFirst: true);
        Good(peer.Ask(Large(1)));
        peer.Cut();
        OpenWirePeer again = Reconnected(scene);
        Good(again.Ask(Large(1)));
        Good(again.Ask(Large(2)));
        Assert.Equal([1, 2], TakeAll(again));
    }

    [Fact]
    public void One_that_comes_twice_at_once_is_stored_once()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Reconnected(scene);
        peer.Send([
            .. peer.BytesOf(OpenWireSteps.Text(Orders, 1)), .. peer.BytesOf(OpenWireSteps.Text(Orders, 2)),
            .. peer.BytesOf(OpenWireSteps.Text(Orders, 1)), .. peer.BytesOf(OpenWireSteps.Text(Orders, 2)),
            .. peer.BytesOf(OpenWireSteps.Text(Orders, 3)),
        ]);
        Assert.Equal([1, 2, 3], TakeAll(peer));
    }

    // Else it would be answered as if it were stored, and be lost.
    [Theory]
    [InlineData("orders.*", null)]
    [InlineData("orders", 1)]
    public void One_that_was_refused_is_not_one_that_the_node_has(string destination, int? full)
    {
        using var scene = new OpenWireScene(configure: b => b with
        {
            AddressSettings = new Dictionary<string, AddressSettings>
            {
                ["orders"] = new() { MaxSizeMessages = full, AddressFullPolicy = AddressFullPolicy.Fail },
            },
        });
        OpenWirePeer peer = Reconnected(scene);
        if (full is not null)
        {
            Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        }

        Message refused = OpenWireSteps.Text(Destination.Queue(destination), 2);
        Assert.IsType<ExceptionResponse>(peer.Ask(refused));
        if (full is not null)
        {
            Assert.Equal([1], TakeAll(peer));
        }

        refused.Destination = Orders;
        Good(peer.Ask(refused));
        Assert.Equal([2], TakeAll(peer));
    }

    private static Message Large(int number)
    {
        Message message = OpenWireSteps.Text(Orders, number);
        message.Content = new byte[5000];
        return message;
    }

    private static void Send(OpenWirePeer peer, int number, bool commits)
    {
        var id = new LocalTransactionId { Value = 1, Connection = OpenWireSteps.ConnectionId };
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        Message message = OpenWireSteps.Text(Orders, number);
        message.TransactionId = id;
        Good(peer.Ask(message));
        if (commits)
        {
            Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.CommitOnePhase)));
        }
    }

    private static OpenWirePeer Reconnected(OpenWireScene scene, bool isFirst = false)
    {
        OpenWirePeer peer = scene.Greeted();
        if (!isFirst)
        {
            peer.Send(new ConnectionControl { FaultTolerant = true }, asks: false);
        }

        ConnectionInfo login = OpenWireSteps.Login();
        login.FaultTolerant = true;
        login.FailoverReconnect = !isFirst;
        Good(peer.Ask(login));
        Good(peer.Ask(OpenWireSteps.Session()));
        Good(peer.Ask(OpenWireSteps.Producer()));
        return peer;
    }

    private static List<long> TakeAll(OpenWirePeer peer)
    {
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        List<long> numbers = [];
        while (peer.Take<MessageDispatch>() is { } got)
        {
            numbers.Add(got.Message!.MessageId!.ProducerSequence);
            Good(peer.Ask(OpenWireSteps.Ack(got)));
        }

        Good(peer.Ask(new RemoveInfo { ObjectId = OpenWireSteps.ConsumerId }));
        return numbers;
    }

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());
}
