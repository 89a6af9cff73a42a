using Pillarbox.Server.Cli.Perf;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary>When a measurement may end.</summary>
public sealed class PerfScheduleTests
{
    /// <summary>A sender that was put to sleep in its last burst has sent what nobody has counted yet: though as many
    /// have come as are counted, receivers have to stay.</summary>
    [Fact]
    public async Task A_measurement_waits_for_the_last_burst_of_its_senders()
    {
        var schedule = new PerfSchedule(0, 0);
        SendingPhase sender = schedule.BeginSending();
        schedule.Begin();
        var measurement = new PerfMeasurement(schedule, serverPid: null);
        Task drain = measurement.DrainAsync(
            () => schedule.Received >= schedule.Sent, TestContext.Current.CancellationToken);
        Assert.False(drain.IsCompleted);
        schedule.AddSent(1);
        Assert.True(sender.IsOver(schedule.MeasureTo));
        Assert.True(sender.IsOver(schedule.MeasureTo));
        Assert.True(schedule.IsSendingOver);
        schedule.AddReceived(1);
        await drain;
        Assert.Equal(schedule.Sent, schedule.Received);
    }

    [Fact]
    public void Every_sender_is_waited_for()
    {
        var schedule = new PerfSchedule(0, 1);
        SendingPhase first = schedule.BeginSending();
        SendingPhase second = schedule.BeginSending();
        schedule.Begin();
        Assert.False(first.IsOver(schedule.MeasureTo - 1));
        Assert.True(first.IsOver(schedule.MeasureTo));
        Assert.False(schedule.IsSendingOver);
        Assert.True(second.IsOver(schedule.MeasureTo));
        Assert.True(schedule.IsSendingOver);
    }
}
