namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>When retained messages expire. Holds also what was replaced since, but not much of it. Under the store's
/// lock.</summary>
internal sealed class RetainedExpiry(RetainedTree tree)
{
    private const int StaleMax = 1000;

    private readonly PriorityQueue<string, long> _due = new();

    /// <summary>A message has the place of its topic now.</summary>
    public void Add(RetainedMessage message)
    {
        if (message.ExpiresAtMs == 0)
        {
            return;
        }

        if (_due.Count > (2 * tree.Count) + StaleMax)
        {
            Rebuild();
        }

        _due.Enqueue(message.Topic, message.ExpiresAtMs);
    }

    /// <summary>The next message whose time is over; null: there is none.</summary>
    public RetainedMessage? Take(long nowMs)
    {
        while (_due.TryPeek(out string? topic, out long dueMs) && dueMs <= nowMs)
        {
            _due.Dequeue();
            if (tree.Find(topic) is { } message && message.IsExpired(nowMs))
            {
                return message;
            }
        }

        return null;
    }

    private void Rebuild()
    {
        _due.Clear();
        RetainedTree.Cursor all = tree.Match("#"u8);
        int steps = int.MaxValue;
        while (all.Next(ref steps) is { } message)
        {
            if (message.ExpiresAtMs > 0)
            {
                _due.Enqueue(message.Topic, message.ExpiresAtMs);
            }
        }
    }
}
