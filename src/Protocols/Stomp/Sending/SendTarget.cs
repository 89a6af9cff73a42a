using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Stomp.Sending;

/// <summary>A destination that the connection sends to. <paramref name="destination"/> and <paramref name="type"/>: the
/// headers that named it, as they came; empty for one of a list.</summary>
internal sealed class SendTarget(Producer producer, byte[] destination, byte[] type)
{
    /// <summary>The broker's producer.</summary>
    public Producer Producer { get; } = producer;

    /// <summary>Messages that the broker takes now.</summary>
    public int Credit { get; set; }

    /// <summary>When it was last used, in frames.</summary>
    public long LastUse { get; set; }

    /// <summary>The destination that receivers see.</summary>
    public required string Line { get; init; }

    /// <summary>Whether these headers, as they came, name it.</summary>
    public bool IsNamed(ReadOnlySpan<byte> destinationHeader, ReadOnlySpan<byte> typeHeader) =>
        destinationHeader.SequenceEqual(destination) && typeHeader.SequenceEqual(type);
}

/// <summary>The destinations that a connection sends to; senders seldom alternate, so the last one is at hand.
/// </summary>
internal sealed class SendTargets
{
    private readonly Dictionary<(string Destination, string? Type), SendTarget> _targets = [];
    private long _uses;

    /// <summary>The last one used.</summary>
    public SendTarget? Last { get; private set; }

    public int Count => _targets.Count;

    public SendTarget? Find(string destination, string? type)
    {
        if (_targets.TryGetValue((destination, type), out SendTarget? target))
        {
            target.LastUse = ++_uses;
            Last = target;
        }

        return target;
    }

    public void Add(string destination, string? type, SendTarget target)
    {
        target.LastUse = ++_uses;
        _targets.Add((destination, type), target);
        Last = target;
    }

    /// <summary>Takes out the one that was not used for longest.</summary>
    public SendTarget RemoveOldest()
    {
        ((string, string?) key, SendTarget target) = _targets.MinBy(entry => entry.Value.LastUse);
        _targets.Remove(key);
        Last = Last == target ? null : Last;
        return target;
    }

    /// <summary>Takes out those of a producer that is closed.</summary>
    public void Remove(SendTarget target)
    {
        foreach (((string, string?) key, SendTarget other) in _targets)
        {
            if (other == target)
            {
                _targets.Remove(key);
                break;
            }
        }

        Last = Last == target ? null : Last;
    }
}
