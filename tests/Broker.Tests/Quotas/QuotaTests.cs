using Pillarbox.Broker.Quotas;

namespace Pillarbox.Broker.Tests.Quotas;

/// <summary>Which quota holds for whom, and how much time it takes.</summary>
public sealed class QuotaTests
{
    private static readonly QuotaPart Alice = QuotaPart.Of("alice");
    private static readonly QuotaPart App = QuotaPart.Of("app");

    // From what counts most to what counts least, as the field has it.
    private static readonly QuotaEntity[] Order =
    [
        new(Alice, App), new(Alice, QuotaPart.Default), new(Alice, default), new(QuotaPart.Default, App),
        new(QuotaPart.Default, QuotaPart.Default), new(QuotaPart.Default, default), new(default, App),
        new(default, QuotaPart.Default),
    ];

    [Fact]
    public void What_names_more_of_the_client_counts()
    {
        for (int from = 0; from < Order.Length; from++)
        {
            QuotaTable table = QuotaTable.Empty.With(
                Order.Skip(from).Select((entity, i) => new QuotaChange(entity, QuotaKind.ProducerBytes, from + i + 1)));
            Assert.Equal(from + 1, table.Find(QuotaKind.ProducerBytes, "alice", "app")?.Rate);
            Assert.Null(table.Find(QuotaKind.ConsumerBytes, "alice", "app"));
        }
    }

    [Fact]
    public void A_default_counts_each_alone_and_a_name_all_together()
    {
        QuotaTable table = QuotaTable.Empty.With(
            [new QuotaChange(new(QuotaPart.Default, default), QuotaKind.ProducerBytes, 1)]);
        Assert.Equal("alice", table.Find(QuotaKind.ProducerBytes, "alice", "a")?.Meter.User);
        Assert.Equal(
            table.Find(QuotaKind.ProducerBytes, "alice", "a")?.Meter,
            table.Find(QuotaKind.ProducerBytes, "alice", "b")?.Meter);
        Assert.NotEqual(
            table.Find(QuotaKind.ProducerBytes, "alice", "a")?.Meter,
            table.Find(QuotaKind.ProducerBytes, "bob", "a")?.Meter);
    }

    [Fact]
    public void A_meter_lets_a_window_through_and_then_the_rate()
    {
        var meter = new QuotaMeter();
        Assert.Equal(0, meter.Take(10_000, 1000, nowMs: 0));
        Assert.Equal(1000, meter.Take(1000, 1000, nowMs: 0));
        Assert.Equal(500, meter.Take(500, 1000, nowMs: 1000));
        Assert.False(meter.TryTake(1, 1000, nowMs: 1000, out int waitMs));
        Assert.Equal(500, waitMs);
        Assert.True(meter.TryTake(5000, 1000, nowMs: 1500, out _));
        Assert.Equal(5000, meter.Take(0, 1000, nowMs: 1500));
        Assert.Equal(QuotaMeter.ThrottleMsMax, meter.Take(1e12, 1000, nowMs: 1500));
    }

    [Fact]
    public void A_meter_is_full_again_after_a_window_and_no_fuller()
    {
        var meter = new QuotaMeter();
        meter.Take(10_000, 1000, nowMs: 0);
        Assert.Equal(0, meter.Take(10_000, 1000, nowMs: 1_000_000));
        Assert.Equal(1, meter.Take(1, 1000, nowMs: 1_000_000));
    }

    [Fact]
    public void A_changed_quota_begins_afresh()
    {
        var meter = new QuotaMeter();
        Assert.Equal(QuotaMeter.ThrottleMsMax, meter.Take(1_000_000, 1000, nowMs: 0));
        Assert.Equal(0, meter.Take(1, 2000, nowMs: 0));
    }
}
