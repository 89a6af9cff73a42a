using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>What a peer has half said before it logged in costs its bytes, not one of the transport's blocks.</summary>
public sealed class EarlyInputTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(20)]
    public void Half_a_frame_before_open_holds_no_block(int length)
    {
        byte[] bytes = [.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open)];
        AmqpPeer peer = _scene.Connect();
        for (int i = 0; i < length; i++)
        {
            peer.Send(bytes.AsSpan(i, 1));
            Assert.Equal(0, peer.BlocksHeld);
        }

        peer.Send(bytes.AsSpan(length));
        Assert.Equal(0x10ul, peer.Next().Descriptor);
        Assert.Equal(0, peer.BlocksHeld);
    }

    [Fact]
    public void Half_a_frame_after_open_waits_in_the_pipe()
    {
        AmqpPeer peer = _scene.Connect();
        byte[] begin = FrameBytes.Of(Steps.Begin);
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open), .. begin.AsSpan(0, 6)]);
        Assert.Equal(1, peer.BlocksHeld);
        peer.Send(begin.AsSpan(6));
        Assert.Equal(0, peer.BlocksHeld);
        Assert.Equal(0x10ul, peer.Next().Descriptor);
        Assert.Equal(0x11ul, peer.Next().Descriptor);
    }
}
