using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>The small pure machines: serial numbers, session windows, timers.</summary>
public sealed class ArithmeticTests
{
    [Theory]
    [InlineData(0u, 1u, true)]
    [InlineData(1u, 0u, false)]
    [InlineData(5u, 5u, false)]
    [InlineData(uint.MaxValue, 0u, true)]
    [InlineData(uint.MaxValue - 3, 4u, true)]
    [InlineData(4u, uint.MaxValue - 3, false)]
    public void Serial_numbers_compare_over_the_wrap(uint left, uint right, bool before) =>
        Assert.Equal(before, SerialNumber.IsBefore(left, right));

    [Theory]
    [InlineData(0u, 10u, 7u)]
    [InlineData(1u, 10u, 8u)]
    [InlineData(3u, 10u, 10u)]
    [InlineData(3u, 0u, 0u)]
    [InlineData(0u, 2u, 0u)]
    public void Remote_window_is_what_the_peer_has_left(uint seen, uint window, uint expected)
    {
        var session = new SessionWindow(
            new AmqpOptions(), new Begin { NextOutgoingId = 7, IncomingWindow = 100, OutgoingWindow = 1 });
        for (int i = 0; i < 3; i++)
        {
            session.OnTransferSent();
        }
        session.OnFlow(
            new Flow { NextIncomingId = seen, IncomingWindow = window, NextOutgoingId = 7, OutgoingWindow = 1 });
        Assert.Equal(expected, session.RemoteIncomingWindow);
    }

    [Fact]
    public void Peer_that_claims_to_have_seen_the_future_gets_no_negative_window()
    {
        var session = new SessionWindow(
            new AmqpOptions(), new Begin { NextOutgoingId = 0, IncomingWindow = 5, OutgoingWindow = 5 });
        session.OnFlow(
            new Flow { NextIncomingId = 0x8000_0000, IncomingWindow = 5, NextOutgoingId = 0, OutgoingWindow = 0 });
        Assert.InRange(session.RemoteIncomingWindow, 0u, uint.MaxValue);
        session.OnFlow(new Flow { NextIncomingId = 0, IncomingWindow = 5, NextOutgoingId = 0, OutgoingWindow = 0 });
        Assert.Equal(5u, session.RemoteIncomingWindow);
    }

    [Fact]
    public void Incoming_window_counts_frames_down_and_up()
    {
        var session = new SessionWindow(
            new AmqpOptions { IncomingWindow = 4 },
            new Begin { NextOutgoingId = uint.MaxValue, IncomingWindow = 1, OutgoingWindow = 1 });
        session.OnTransferReceived();
        Assert.Equal(0u, session.NextIncomingId);
        Assert.False(session.IsUpdateDue);
        session.OnTransferReceived();
        Assert.True(session.IsUpdateDue);
        session.OnTransferReceived();
        session.OnTransferReceived();
        Assert.Equal(AmqpSeverity.Session, Assert.Throws<AmqpException>(session.OnTransferReceived).Severity);
        session.Replenish();
        session.OnTransferReceived();
    }

    [Fact]
    public void Timers_say_when_they_are_next()
    {
        var timers = new ConnectionTimers(new AmqpOptions(), nowMs: 1000);
        Assert.Equal(11_000, timers.NextDeadlineMs);
        Assert.Equal(TimerVerdict.None, timers.Check(10_999));
        Assert.Equal(TimerVerdict.HandshakeOver, timers.Check(11_000));
        timers.OnOpened(peerIdleTimeoutMs: 8_000);
        Assert.Equal(5_000, timers.NextDeadlineMs);
        Assert.Equal(TimerVerdict.SendHeartbeat, timers.Check(5_000));
        timers.OnSent(5_000);
        Assert.Equal(9_000, timers.NextDeadlineMs);
        Assert.Equal(TimerVerdict.PeerSilent, timers.Check(61_000));
        timers.OnReceived(60_000);
        timers.OnCloseSent(60_000);
        Assert.Equal(TimerVerdict.CloseOver, timers.Check(65_000));
    }
}
