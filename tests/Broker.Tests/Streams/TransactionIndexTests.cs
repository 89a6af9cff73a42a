using Pillarbox.Broker.Streams;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>What a partition knows of its transactions, at the borders.</summary>
public sealed class TransactionIndexTests
{
    private readonly TransactionIndex _index = new();

    [Fact]
    public void A_transaction_is_decided_when_its_marker_is_durable_and_not_what_is_before_it()
    {
        ProducerState producer = new(1);
        _index.Begin(producer, 3, 0);
        _index.End(producer, isCommit: true, markerOffset: 5);
        _index.NoteDurable(5);
        Assert.Equal(3, _index.FirstUndecided);
        _index.NoteDurable(6);
        Assert.Equal(-1, _index.FirstUndecided);
    }

    [Fact]
    public void Only_transactions_that_lie_in_the_range_are_told()
    {
        foreach (long first in (long[])[10, 20, 30])
        {
            ProducerState producer = new(first);
            _index.Begin(producer, first, 0);
            _index.End(producer, isCommit: false, markerOffset: first + 5);
        }

        Assert.Equal([20], Between(16, 30));
        Assert.Equal([10, 20], Between(15, 21));
        Assert.Equal([20, 30], Between(25, 31));
        Assert.Equal([], Between(36, 40));
    }

    private IEnumerable<long> Between(long from, long to)
    {
        List<AbortedTransaction> found = [];
        _index.FindAborted(from, to, found);
        return found.Select(each => each.FirstOffset);
    }
}
