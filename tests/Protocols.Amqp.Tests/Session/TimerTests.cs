using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Deadlines (part 2 section 2.4.5 and the node's own): by the hand clock, never by waiting.</summary>
public sealed class TimerTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(8)]
    public void Handshake_has_a_deadline(int headerBytes)
    {
        AmqpPeer peer = _scene.Connect();
        peer.Send(ProtocolHeader.Amqp[..headerBytes]);
        _scene.Advance(9_500);
        Assert.False(peer.IsEnded);
        _scene.Advance(1_000);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Deadline_is_not_moved_by_a_peer_that_drips()
    {
        AmqpPeer peer = _scene.Connect();
        byte[] bytes = [.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open)];
        for (int i = 0; i < bytes.Length && i < 11; i++)
        {
            peer.Send(bytes.AsSpan(i, 1));
            _scene.Advance(1_000);
        }
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Silent_peer_is_taken_for_dead()
    {
        AmqpPeer peer = _scene.Opened();
        _scene.Advance(59_000);
        Assert.False(peer.IsEnded);
        _scene.Advance(2_000);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Heartbeats_of_the_peer_keep_it_alive()
    {
        AmqpPeer peer = _scene.Opened();
        for (int i = 0; i < 10; i++)
        {
            _scene.Advance(30_000);
            peer.Send(Frames.Heartbeat);
        }
        Assert.False(peer.IsEnded);
    }

    [Fact]
    public void Node_sends_heartbeats_within_half_of_the_peers_timeout()
    {
        AmqpPeer peer = _scene.Opened(Steps.Open with { IdleTimeoutMs = 4_000 });
        _scene.Advance(1_000);
        Assert.Empty(peer.Frames);
        _scene.Advance(1_500);
        Assert.Equal("empty", peer.TakeAll());
        _scene.Advance(8_000);
        Assert.True(peer.Frames.Count >= 3, $"{peer.Frames.Count} heartbeats in 8 s");
    }

    [Fact]
    public void Close_that_is_not_answered_ends_after_a_while()
    {
        AmqpPeer peer = _scene.Opened();
        peer.Send(FrameBytes.Of(Steps.Open));
        Assert.False(peer.IsEnded);
        _scene.Advance(6_000);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Bytes_before_the_open_are_bounded()
    {
        AmqpPeer peer = _scene.Connect();
        peer.Send(ProtocolHeader.Amqp);
        for (int i = 0; i < 3000; i++)
        {
            peer.Write(Frames.Heartbeat);
        }
        _scene.Settle();
        Assert.Equal("open close(amqp:resource-limit-exceeded)", peer.TakeAll());
    }

    [Fact]
    public void Frame_before_the_open_may_not_be_larger_than_the_budget()
    {
        AmqpPeer peer = _scene.Connect();
        peer.Send([.. ProtocolHeader.Amqp, 0, 0, 0x50, 0, 2, 0, 0, 0]);
        Assert.Equal("open close(amqp:connection:framing-error)", peer.TakeAll());
    }
}
