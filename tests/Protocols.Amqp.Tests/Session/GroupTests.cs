using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Messages with a group-id (part 3 section 3.2.4): one consumer at a time gets a group.</summary>
public sealed class GroupTests : IDisposable
{
    private readonly AmqpScene _scene = new();
    private int _receivers;

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void A_group_stays_with_its_consumer_until_it_leaves()
    {
        AmqpPeer one = Receiver();
        AmqpPeer other = Receiver();
        AmqpPeer sender = _scene.InSession(open: new Open { ContainerId = "sender" });
        sender.AttachSender(0, "q");
        for (uint i = 0; i < 6; i++)
        {
            sender.Transfer(0, i, Message(i % 2 == 0 ? "a" : "b", $"{i}"), settled: true);
        }

        string[][] got = [[.. Bodies(one)], [.. Bodies(other)]];
        Assert.Equal([["0", "2", "4"], ["1", "3", "5"]], got.OrderBy(bodies => bodies[0]));

        AmqpPeer ofA = got[0][0] == "0" ? one : other;
        AmqpPeer ofB = ofA == one ? other : one;
        ofA.Cut();
        sender.Transfer(0, 6, Message("a", "6"), settled: true);
        Assert.Equal(["0", "2", "4", "6"], Bodies(ofB).Order());
    }

    [Fact]
    public void A_group_that_is_closed_may_go_to_another_consumer()
    {
        AmqpPeer one = Receiver();
        AmqpPeer sender = _scene.InSession(open: new Open { ContainerId = "sender" });
        sender.AttachSender(0, "q");
        sender.Transfer(0, 0, Message("a", "0"), settled: true);
        sender.Transfer(0, 1, Message("a", "1", uint.MaxValue), settled: true);
        Assert.Equal(["0", "1"], Bodies(one));
        AmqpPeer other = Receiver();
        for (uint i = 2; i < 6; i++)
        {
            sender.Transfer(0, i, Message($"group {i}", $"{i}"), settled: true);
        }

        Assert.NotEmpty(Bodies(other));
        Assert.NotEmpty(Bodies(one));
    }

    private static byte[] Message(string group, string body, uint? sequence = null) => new AmqpMessage
    {
        Properties = new MessageProperties { GroupId = group, GroupSequence = sequence },
        BodyKind = BodyKind.Value,
        Value = body,
    }.ToArray();

    private static List<string> Bodies(AmqpPeer peer)
    {
        List<string> bodies = [];
        while (peer.Frames.Any(frame => frame.Descriptor == Transfer.DescriptorCode))
        {
            ReceivedFrame frame = peer.Next();
            if (frame.Descriptor == Transfer.DescriptorCode)
            {
                frame.AsTransfer(out byte[] message);
                bodies.Add(AmqpMessage.Read(message).Value.AsText()!);
            }
        }

        return bodies;
    }

    private AmqpPeer Receiver()
    {
        AmqpPeer peer = _scene.InSession(open: new Open { ContainerId = $"receiver-{++_receivers}" });
        peer.AttachReceiver(0, "q");
        peer.Credit(0, 100);
        return peer;
    }
}
