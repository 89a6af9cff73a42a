using System.Globalization;
using Pillarbox.Broker.Addresses;
using Pillarbox.Fuzz.Stomp.Scene;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>Several destinations in one header, as ActiveMQ 5.17 takes them: all get the message, or none.</summary>
public sealed class DestinationListTests : IDisposable
{
    private readonly StompScene _scene = new(configure: b => b with
    {
        AddressSettings = new Dictionary<string, AddressSettings>
        {
            ["full"] = new() { MaxSizeMessages = 1, AddressFullPolicy = AddressFullPolicy.Fail },
        },
    });

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Fact]
    public void Each_destination_gets_the_message_as_its_own_and_one_receipt_tells_of_all()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SUBSCRIBE\nid:1\ndestination:/topic/t\n\n\0");
        peer.Send("SEND\ndestination:/queue/a, /topic/t,/queue/a,b\nreceipt:r\nx:y\n\nhello\0");
        Assert.Equal("r", peer.Next("RECEIPT")["receipt-id"]);
        Expect(peer, "/topic/t");
        foreach (string queue in new[] { "/queue/a", "/queue/b" })
        {
            peer.Send($"SUBSCRIBE\nid:{queue}\ndestination:{queue}\n\n\0");
            Expect(peer, queue);
        }
    }

    [Fact]
    public void A_name_without_a_prefix_has_that_of_the_first()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SEND\ndestination:/queue/a,b\nreceipt:r\n\n1\0SEND\ndestination:c,/queue/d\nreceipt:s\n\n1\0");
        Assert.Equal("RECEIPT RECEIPT", peer.TakeAll());
        peer.Send("SUBSCRIBE\nid:1\ndestination:/queue/b\n\n\0");
        Assert.Equal("/queue/b", peer.Next("MESSAGE")["destination"]);
        Assert.Equal(1, _scene.Queues()["d"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("transaction:t\n")]
    public void When_one_refuses_it_none_has_it(string transaction)
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SEND\ndestination:/queue/full\nreceipt:1\n\n1\0BEGIN\ntransaction:t\nreceipt:2\n\n\0");
        Assert.Equal("RECEIPT RECEIPT", peer.TakeAll());
        peer.Send($"SEND\ndestination:/queue/a,/queue/full,/queue/b\n{transaction}receipt:r\n\n2\0");
        Assert.Equal("r", peer.Next("ERROR")["receipt-id"]);
        Assert.True(peer.IsEnded);
        Assert.Equal([("full", 1L)], _scene.Queues().Where(q => q.Value > 0).Select(q => (q.Key, q.Value)));
    }

    [Theory]
    [InlineData("COMMIT", 1)]
    [InlineData("ABORT", 0)]
    public void It_goes_with_the_clients_transaction(string end, int count)
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("BEGIN\ntransaction:t\n\n\0SEND\ndestination:/queue/a,/queue/b\ntransaction:t\nreceipt:s\n\n1\0");
        Assert.Equal("s", peer.Next("RECEIPT")["receipt-id"]);
        Assert.DoesNotContain(_scene.Queues(), queue => queue.Value > 0);
        peer.Send($"{end}\ntransaction:t\nreceipt:e\n\n\0");
        Assert.Equal("e", peer.Next("RECEIPT")["receipt-id"]);
        Assert.Equal(count * 2, _scene.Queues().Values.Sum());
    }

    // More than the broker gives credit for at once, and a goodbye that waits for the last one.
    [Fact]
    public void Thousands_of_them_go_on()
    {
        StompPeer peer = _scene.Connect("1.2");
        for (int i = 0; i < 5000; i++)
        {
            peer.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"SEND\ndestination:/queue/a,/queue/b\n\n{i}\0")));
        }

        peer.Send("DISCONNECT\nreceipt:bye\n\n\0");
        Assert.Equal("bye", peer.Next("RECEIPT")["receipt-id"]);
        Assert.Equal((5000, 5000), (_scene.Queues()["a"], _scene.Queues()["b"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("transaction:t\n")]
    public void A_large_body_goes_to_all(string transaction)
    {
        StompPeer peer = _scene.Connect("1.2");
        string body = new('x', 1_000_000);
        string length = "content-length:1000000\n";
        peer.Send("BEGIN\ntransaction:t\n\n\0");
        peer.Send($"SEND\ndestination:/queue/a,/queue/b\n{transaction}{length}receipt:r\n\n{body}\0");
        peer.Send("COMMIT\ntransaction:t\nreceipt:c\n\n\0");
        Assert.Equal("RECEIPT RECEIPT", peer.TakeAll());
        foreach (string queue in new[] { "/queue/a", "/queue/b" })
        {
            peer.Send($"SUBSCRIBE\nid:{queue}\ndestination:{queue}\n\n\0");
            ReceivedFrame got = peer.Next("MESSAGE");
            Assert.Equal((queue, body), (got["destination"], got.Text));
        }
    }

    [Fact]
    public void When_one_refuses_a_large_body_none_has_it()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SEND\ndestination:/queue/full\nreceipt:1\n\n1\0");
        peer.Next("RECEIPT");
        string frame = "SEND\ndestination:/queue/a,/queue/full,/queue/b\ncontent-length:1000000\nreceipt:r";
        peer.Send($"{frame}\n\n{new string('x', 1_000_000)}\0");
        Assert.Equal("r", peer.Next("ERROR")["receipt-id"]);
        Assert.Equal([("full", 1L)], _scene.Queues().Where(q => q.Value > 0).Select(q => (q.Key, q.Value)));
    }

    [Fact]
    public void An_address_with_a_comma_that_is_there_is_meant()
    {
        StompPeer peer = _scene.Connect("1.2");
        Task made = _scene.Broker.Management.CreateQueueAsync(
            Model.Identity.Node, "default", new Broker.Queues.QueueConfig { Name = "a,b", Address = "a,b" });
        _scene.Settle();
        Assert.True(made.IsCompletedSuccessfully);
        peer.Send("SEND\ndestination:/queue/a,b\nreceipt:r\n\n1\0SUBSCRIBE\nid:1\ndestination:/queue/a,b\n\n\0");
        Assert.Equal("RECEIPT MESSAGE", peer.TakeAll());
    }

    [Theory]
    [InlineData("SUBSCRIBE\nid:1\ndestination:/queue/a,/queue/b\nreceipt:r\n\n\0", "single destination")]
    [InlineData("SEND\ndestination:,\nreceipt:r\n\n1\0", "no destination")]
    [InlineData("SEND\ndestination:/queue/a,/queue/*\nreceipt:r\n\n1\0", "pattern")]
    [InlineData("SEND\ndestination:/queue/a,b\ndestination-type:MULTICAST\nreceipt:r\n\n1\0", "contradicts")]
    public void What_is_no_list_for_it_is_an_error(string frame, string reason)
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send(frame);
        Assert.Contains(reason, peer.Next("ERROR")["message"], StringComparison.Ordinal);
        Assert.DoesNotContain(_scene.Queues().Keys, name => name.Contains(',', StringComparison.Ordinal));
    }

    [Fact]
    public void A_list_is_bounded()
    {
        StompPeer peer = _scene.Connect("1.2");
        string list = string.Join(",/queue/", Enumerable.Range(0, 65));
        peer.Send($"SEND\ndestination:/queue/{list}\nreceipt:r\n\n1\0");
        Assert.Contains("at most 64", peer.Next("ERROR")["message"], StringComparison.Ordinal);
    }

    private static void Expect(StompPeer peer, string destination)
    {
        ReceivedFrame got = peer.Next("MESSAGE");
        Assert.Equal((destination, "y", "hello"), (got["destination"], got["x"], got.Text));
        Assert.Empty(peer.Frames);
    }
}
