using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Fuzz.Stomp.Scene;
using Pillarbox.Model;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>Streams as destinations.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly StompScene _scene = new();

    public StreamTests()
    {
        Grant grant = _scene.Broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName("readings", null));
        _scene.Broker.Streams.Create(grant, new StreamSpec { Name = "readings", Partitions = 1 });
        StompPeer sender = _scene.Connect("1.2");
        for (int i = 0; i < 5; i++)
        {
            sender.Send($"SEND\ndestination:readings\nn:{i}\nx-opt-partition-key:k\nreceipt:{i}\n\nbody {i}\0");
            Assert.Equal($"{i}", sender.Next("RECEIPT")["receipt-id"]);
        }
    }

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData("first", 0)]
    [InlineData("last", 4)]
    [InlineData("next", 5)]
    [InlineData("offset:3", 3)]
    [InlineData("timestamp:0", 0)]
    public void A_reader_begins_where_it_says(string offset, int first)
    {
        StompPeer reader = _scene.Connect("1.2");
        reader.Send($"SUBSCRIBE\nid:s\ndestination:readings\nx-stream-offset:{offset}\n\n\0");
        Assert.Equal(Enumerable.Range(first, 5 - first).Select(i => $"body {i}"), reader.Frames.Select(f => f.Text));
        Assert.All(reader.Frames, f => Assert.Equal((f["n"], "0"), (f["x-stream-offset"], f["x-opt-partition"])));
        reader.TakeAll();
        _scene.Connect("1.1").Send("SEND\ndestination:readings\n\nnew\0");
        Assert.Equal("new", reader.Next("MESSAGE").Text);
    }

    [Fact]
    public void Reading_takes_nothing_away()
    {
        foreach (string version in new[] { "1.0", "1.1", "1.2" })
        {
            StompPeer reader = _scene.Connect(version);
            reader.Send("SUBSCRIBE\nid:s\ndestination:readings::0\nx-stream-offset:first\n\n\0");
            Assert.Equal(5, reader.Frames.Count);
        }
    }

    [Theory]
    [InlineData("second")]
    [InlineData("offset:")]
    [InlineData("offset:-1")]
    [InlineData("5")]
    public void A_place_that_cannot_be_understood_is_an_error(string offset)
    {
        StompPeer reader = _scene.Connect("1.2");
        reader.Send($"SUBSCRIBE\nid:s\ndestination:readings\nx-stream-offset:{offset}\n\n\0").Next("ERROR");
    }

    [Fact]
    public void A_queue_of_the_same_name_is_meant_where_a_prefix_says_so()
    {
        StompPeer reader = _scene.Connect("1.2");
        reader.Send("SUBSCRIBE\nid:q\ndestination:/queue/readings\n\n\0");
        _scene.Connect("1.2").Send("SEND\ndestination:readings\n\nboth\0");
        Assert.Equal("both", reader.Next("MESSAGE").Text);
        // A stream's readers each get every record; a queue's share its messages.
        StompPeer later = _scene.Connect("1.2");
        later.Send("SUBSCRIBE\nid:q\nreceipt:r\ndestination:/queue/readings\n\n\0").Next("RECEIPT");
        Assert.DoesNotContain("MESSAGE", later.TakeAll(), StringComparison.Ordinal);
    }
}
