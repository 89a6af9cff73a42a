using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

public sealed class DescriptorGuardTests
{
    [Theory]
    [InlineData(256, 32)]
    [InlineData(8192, 512)]
    [InlineData(1 << 20, 1024)]
    public void A_part_of_the_descriptors_is_kept_for_files(long limit, long kept) =>
        Assert.Equal(kept, DescriptorGuard.KeptOf(limit));

    [Fact]
    public void What_is_refused_is_told_once_a_minute()
    {
        var time = new HandTime();
        var log = new ListLogger();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        // All that there are, are kept.
        var guard = new DescriptorGuard(32, time, log);
        for (int i = 0; i < 100; i++)
        {
            Assert.False(guard.MayStay(socket));
        }

        Assert.StartsWith("1 connections refused", Assert.Single(log.Lines), StringComparison.Ordinal);
        time.Seconds = 61;
        Assert.False(guard.MayStay(socket));
        Assert.Equal(2, log.Lines.Count);
        Assert.StartsWith("101 connections refused", log.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void With_room_everybody_stays_and_nothing_is_told()
    {
        var log = new ListLogger();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var guard = new DescriptorGuard(DescriptorGuard.LimitOfProcess(), new HandTime(), log);
        Assert.True(guard.MayStay(socket));
        guard.Report(connectionsMax: 1);
        Assert.Empty(log.Lines);
    }

    [Fact]
    public void Fewer_connections_than_configured_are_told_at_the_start()
    {
        var log = new ListLogger();
        new DescriptorGuard(1000, new HandTime(), log).Report(connectionsMax: 1000);
        Assert.Contains("at most 938 connections", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    private sealed class HandTime : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
