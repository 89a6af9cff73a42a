using Pillarbox.Fuzz.Stomp.Scene;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>Delays, groups and exclusive consumers by headers of ActiveMQ's clients.</summary>
public sealed class QueueRuleTests : IDisposable
{
    private readonly StompScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData("AMQ_SCHEDULED_DELAY", false)]
    [InlineData("AMQ_SCHEDULED_TIME", true)]
    public void A_message_comes_when_it_is_due(string header, bool isTime)
    {
        StompPeer peer = _scene.Connect("1.2").Send("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n\0");
        long value = isTime ? _scene.Clock.GetUtcNow().ToUnixTimeMilliseconds() + 5000 : 5000;
        peer.Send($"SEND\ndestination:/queue/q\nn:1\n{header}:{value}\n\n\0");
        peer.Send("SEND\ndestination:/queue/q\nn:2\n\n\0");
        Assert.Equal("2", peer.Next("MESSAGE")["n"]);
        _scene.Advance(4000);
        Assert.Empty(peer.Frames);
        _scene.Advance(2000);
        Assert.Equal("1", peer.Next("MESSAGE")["n"]);
    }

    [Theory]
    [InlineData("AMQ_SCHEDULED_CRON:0 * * * *")]
    [InlineData("AMQ_SCHEDULED_PERIOD:1000")]
    [InlineData("AMQ_SCHEDULED_REPEAT:3")]
    [InlineData("AMQ_SCHEDULED_DELAY:soon")]
    public void What_cannot_be_scheduled_is_an_error(string header)
    {
        StompPeer peer = _scene.Connect("1.2").Send($"SEND\ndestination:/queue/q\n{header}\n\n\0");
        Assert.Contains("AMQ_SCHEDULED_", peer.Next("ERROR")["message"]);
    }

    [Theory]
    [InlineData("1.0", "a")]
    [InlineData("1.2", "a\\c1")]
    public void A_group_goes_to_one_consumer(string version, string group)
    {
        StompPeer one = Consumer(version, "client-individual\nprefetch-count:1");
        StompPeer two = Consumer(version, "client-individual\nprefetch-count:5");
        StompPeer sender = _scene.Connect(version);
        sender.Send($"SEND\ndestination:/queue/q\nn:1\nJMSXGroupID:{group}\n\n\0");
        sender.Send($"SEND\ndestination:/queue/q\nn:2\nJMSXGroupID:{group}\n\n\0");
        sender.Send("SEND\ndestination:/queue/q\nn:3\nJMSXGroupID:b\n\n\0");
        StompPeer owner = one.Frames.Any(frame => frame["n"] == "1") ? one : two;
        StompPeer other = owner == one ? two : one;
        Assert.DoesNotContain(other.Frames, frame => frame["n"] == "2");
        Assert.Equal("3", Assert.Single(one.Frames.Concat(two.Frames), frame => frame["n"] == "3")["n"]);
        owner.Cut();
        Assert.Contains(other.Frames, frame => frame["n"] == "2");
    }

    [Fact]
    public void A_negative_sequence_closes_the_group()
    {
        StompPeer one = Consumer("1.2", "client-individual\nprefetch-count:2");
        StompPeer sender = _scene.Connect("1.2");
        sender.Send("SEND\ndestination:/queue/q\nn:1\nJMSXGroupID:a\n\n\0");
        sender.Send("SEND\ndestination:/queue/q\nn:2\nJMSXGroupID:a\nJMSXGroupSeq:-1\n\n\0");
        StompPeer two = Consumer("1.2", "client-individual");
        sender.Send("SEND\ndestination:/queue/q\nn:3\nJMSXGroupID:a\n\n\0");
        Assert.Equal(["1", "2"], one.Frames.Select(frame => frame["n"]));
        Assert.Equal(["3"], two.Frames.Select(frame => frame["n"]));
    }

    [Fact]
    public void An_exclusive_consumer_of_ActiveMQ_gets_everything()
    {
        StompPeer common = Consumer("1.2", "auto");
        StompPeer sole = Consumer("1.2", "auto\nactivemq.exclusive:true");
        common.Send("SEND\ndestination:/queue/q\nn:1\n\n\0").Send("SEND\ndestination:/queue/q\nn:2\n\n\0");
        Assert.Empty(common.Frames);
        Assert.Equal(["1", "2"], sole.Frames.Select(frame => frame["n"]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(2500)]
    public void A_look_at_a_queue_has_an_end(int messages)
    {
        StompPeer sender = _scene.Connect("1.2");
        sender.Send("SUBSCRIBE\nid:x\ndestination:/queue/q\n\n\0UNSUBSCRIBE\nid:x\n\n\0");
        for (int i = 0; i < messages; i++)
        {
            sender.Send($"SEND\ndestination:/queue/q\nn:{i}\n\n\0");
        }

        StompPeer peer = Consumer("1.2", "auto\nbrowser:true");
        for (int i = 0; i < messages; i++)
        {
            Assert.Equal($"{i}", peer.Next("MESSAGE")["n"]);
        }

        ReceivedFrame end = peer.Next("MESSAGE");
        Assert.Equal(("end", "/queue/q", "s"), (end["browser"], end["destination"], end["subscription"]));
        sender.Send("SEND\ndestination:/queue/q\n\nlater\0");
        Assert.Empty(peer.Frames);
        Assert.Equal(messages + 1, _scene.Queues()["q"]);
    }

    private StompPeer Consumer(string version, string ack) =>
        _scene.Connect(version).Send($"SUBSCRIBE\nid:s\ndestination:/queue/q\nack:{ack}\n\n\0");
}
