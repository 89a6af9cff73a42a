using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Routed;

/// <summary>What is done for each message on its way must leave nothing behind.</summary>
public sealed class LinkCountersTests
{
    [Fact]
    public void Counting_allocates_nothing()
    {
        var counters = new LinkCounters();
        var tally = new AddressTally();
        Count(counters, tally, 1_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Count(counters, tally, 10_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(11_000, counters.Read().Accepted);
        Assert.Equal(11_000, tally.Ingress);
    }

    private static void Count(LinkCounters counters, AddressTally tally, int times)
    {
        for (int i = 0; i < times; i++)
        {
            counters.OnDelivery(i);
            counters.OnIngress(isRouteContainer: false);
            tally.OnIngress(isRouteContainer: false);
            counters.OnOutcome(RoutedState.Accepted, i, i);
        }
    }
}
