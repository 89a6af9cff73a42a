using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed.Tcp;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Routed;

/// <summary>The heads of messages that carry TCP connections.</summary>
public sealed class TcpMessageTests
{
    [Fact]
    public void Heads_are_read_back_and_broken_ones_are_refused()
    {
        byte[] head = TcpMessage.Head("db", "amqp:/_topo/0/A/temp.x", "A:1");
        Assert.Equal(new TcpMessage("amqp:/_topo/0/A/temp.x", "A:1", head.Length), TcpMessage.Read([.. head, 1, 2, 3]));
        var random = new SeededRandom(11);
        int refused = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] broken = head[..random.Next(head.Length)];
            if (broken.Length > 0)
            {
                broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            }

            try
            {
                Assert.InRange(TcpMessage.Read(broken).BodyOffset, 1, broken.Length);
            }
            catch (AmqpException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 90_000, 100_000);
    }
}
