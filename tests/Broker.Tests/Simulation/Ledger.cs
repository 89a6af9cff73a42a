namespace Pillarbox.Broker.Tests.Simulation;

/// <summary>What the clients of a simulated node know of one message.</summary>
internal sealed class Sent(string body, string producer, string queue)
{
    public string Body { get; } = body;

    public string Producer { get; } = producer;

    public string Queue { get; } = queue;

    /// <summary>Its place among what its producer had the broker append.</summary>
    public long Order { get; set; }

    /// <summary>The broker acknowledged it (outside of transactions).</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>A consumer accepted it; whether that is on disk is not known.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>The broker confirmed that.</summary>
    public bool IsAcceptConfirmed { get; set; }

    /// <summary>The transaction that published it.</summary>
    public Trade? PublishedIn { get; set; }

    /// <summary>The transaction that accepted it.</summary>
    public Trade? AcceptedIn { get; set; }
}

/// <summary>What the clients know of one transaction.</summary>
internal sealed class Trade
{
    public bool IsCommitting { get; set; }

    public bool IsCommitted { get; set; }
}

/// <summary>All that must be true of a node after a crash: nothing acknowledged is lost, nothing settled comes back,
/// all or nothing,
/// order per producer, no copies.</summary>
internal sealed class Ledger
{
    public Dictionary<string, Sent> Messages { get; } = [];

    /// <summary>Compares with what the queues hold now, and goes on from there.</summary>
    public void Check(IReadOnlyList<(string Queue, string Body)> held, string seed)
    {
        ILookup<string, (string Queue, string Body)> byBody = held.ToLookup(item => item.Body);
        foreach ((string queue, string body) in held)
        {
            Assert.True(Messages.ContainsKey(body), $"{queue} holds '{body}', which nobody sent {seed}");
        }

        foreach (Sent message in Messages.Values)
        {
            int copies = byBody[message.Body].Count();
            Assert.True(copies <= 1, $"{copies} copies of {message.Body} {seed}");
            CheckOne(message, copies == 1, seed);
        }

        CheckTrades(byBody, seed);
        CheckOrder(held, seed);
        foreach (Sent message in Messages.Values.ToArray())
        {
            if (byBody.Contains(message.Body))
            {
                message.IsAcknowledged = true;
                (message.IsAccepted, message.PublishedIn, message.AcceptedIn) = (false, null, null);
            }
            else
            {
                Messages.Remove(message.Body);
            }
        }
    }

    private static void CheckOne(Sent message, bool isThere, string seed)
    {
        bool published = message.PublishedIn?.IsCommitted ?? message.IsAcknowledged;
        bool mayBeGone = message.IsAccepted || message.AcceptedIn is { IsCommitting: true };
        Assert.True(isThere || !published || mayBeGone, $"{message.Body} was acknowledged and is lost {seed}");
        bool gone = message.IsAcceptConfirmed || message.AcceptedIn is { IsCommitted: true };
        Assert.False(isThere && gone, $"{message.Body} was settled for sure and is back {seed}");
        bool never = message.PublishedIn is { IsCommitting: false };
        Assert.False(isThere && never, $"{message.Body} was published in a transaction that never committed {seed}");
    }

    private void CheckTrades(ILookup<string, (string Queue, string Body)> byBody, string seed)
    {
        foreach (IGrouping<Trade?,
            Sent> trade in Messages.Values.Where(m => m.PublishedIn is not null).GroupBy(m => m.PublishedIn))
        {
            bool[] there = [.. trade.Where(m => !m.IsAccepted && m.AcceptedIn is null).Select(m =>
                byBody.Contains(m.Body))];
            Assert.True(there.All(x => x) || there.All(x => !x), $"half a transaction is there {seed}");
            // A message may be accepted before it is on disk; a power cut then takes it, whatever becomes of the rest.
            bool[] taken = [.. Messages.Values.Where(m => m.AcceptedIn == trade.Key && IsOnDisk(m)).Select(m =>
                !byBody.Contains(m.Body))];
            Assert.True(
                there.Length == 0 || taken.All(gone => gone == there[0]),
                $"a transaction published ({string.Join(',', there)}) but settled ({string.Join(',', taken)}) {seed}");
        }
    }

    private static bool IsOnDisk(Sent message) => message.PublishedIn?.IsCommitted ?? message.IsAcknowledged;

    private void CheckOrder(IReadOnlyList<(string Queue, string Body)> held, string seed)
    {
        foreach (var line in held.Where(item => item.Queue != "DLQ").GroupBy(item =>
            (item.Queue, Messages[item.Body].Producer)))
        {
            long[] orders = [.. line.Select(item => Messages[item.Body].Order)];
            Assert.True(orders.SequenceEqual(orders.Order()),
                $"{line.Key} is out of order: {string.Join(',', orders)} {seed}");
        }
    }
}
