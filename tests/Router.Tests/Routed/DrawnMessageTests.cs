using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Storage;
using Pillarbox.Storage.Tests;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Messages that the node's broker gives the network, of which some come from disk.</summary>
public sealed class DrawnMessageTests : IDisposable
{
    private readonly SlowReads _files = new(new MemoryFileSystem());
    private readonly RoutedScene _scene;

    public DrawnMessageTests() => _scene = new RoutedScene(options => options with
    {
        FileSystem = _files,
        LargeMessageBytesMin = 1000,
    });

    public void Dispose()
    {
        _files.GoOn();
        _scene.Node.Settle();
        _scene.Dispose();
    }

    // What was read for the one must not become the other's.
    [Fact]
    public void Message_whose_reader_has_gone_while_it_was_read_leaves_no_bytes_behind()
    {
        using BrokerClient client = _scene.Node.Broker.Connect(
            new ClientInfo { Identity = Identity.Node, ClientId = "local", Protocol = "test" }, new NoWake());
        client.CreateQueue(new QueueConfig { Name = "q", Address = "q", RoutingType = RoutingType.Anycast });
        _scene.Node.Advance(1000);
        // Named so, it is the network's, and the broker's messages come through it.
        AmqpPeer gone = _scene.Receiver("amqp:/q");
        _files.Stop();
        Publish(client, "large " + new string('x', 2000));
        Assert.True(_files.Waiting == 1, gone.TakeAll());
        Detach(gone);
        _files.GoOn();
        _scene.Node.Advance(1000);

        AmqpPeer local = _scene.Receiver("q");
        Assert.StartsWith("large", BodyOf(local), StringComparison.Ordinal);
        local.Send(FrameBytes.Of(new Disposition
        {
            Role = Role.Receiver,
            First = 0,
            Settled = true,
            State = DeliveryState.Accepted,
        }));
        Detach(local);
        Publish(client, "small");
        Assert.Equal("small", BodyOf(_scene.Receiver("amqp:/q")));
    }

    private static void Detach(AmqpPeer peer) =>
        peer.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));

    private void Publish(BrokerClient client, string body)
    {
        Producer producer = client.OpenProducer(new ProducerOptions { Address = "q" });
        LargePublish message = client.BeginLarge(producer);
        message.Append(new(Steps.Message(body)));
        message.Finish();
        message.Complete(new MessageHeader { Format = PayloadFormat.Amqp }, tag: 0);
        client.Flush();
        client.CloseProducer(producer);
        _scene.Node.Settle();
    }

    private static string BodyOf(AmqpPeer receiver)
    {
        receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] message);
        return Steps.BodyOf(message);
    }

    private sealed class NoWake : IWakeable
    {
        public void Wake()
        {
        }
    }
}
