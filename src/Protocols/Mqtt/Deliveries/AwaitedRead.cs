using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>The message that has to be read from disk before the next can be sent: one at a time. Owned by the
/// connection.</summary>
internal sealed class AwaitedRead
{
    private LoadedMessage? _loaded;
    private MessageKey _loadedKey;
    private Delivery _delivery;

    /// <summary>Whether one is to be read still.</summary>
    public bool IsAwaited { get; private set; }

    /// <summary>It is the first of those that went to disk (<see cref="OutgoingIdentifiers"/>).</summary>
    public bool IsStored { get; private set; }

    /// <summary>The one that is to be read.</summary>
    public Delivery Delivery => _delivery;

    public void Await(in Delivery delivery, bool isStored) =>
        (_delivery, IsStored, IsAwaited) = (delivery, isStored, true);

    /// <summary>What was read of a message; null: nothing.</summary>
    public LoadedMessage? Of(in Delivery delivery) =>
        _loaded is not null && _loadedKey == SessionState.KeyOf(delivery) ? _loaded : null;

    /// <summary>A message was read. Its subscription may have gone meanwhile, and it with that; what is to be read now
    /// is another one then.</summary>
    public void OnRead(in Delivery delivery, LoadedMessage message)
    {
        if (IsFor(delivery))
        {
            (_loaded, _loadedKey) = (message, SessionState.KeyOf(delivery));
            IsAwaited = false;
        }
    }

    /// <summary>It cannot be read; false: it is wanted no longer.</summary>
    public bool OnFailed(in Delivery delivery)
    {
        bool wasAwaited = IsFor(delivery);
        IsAwaited &= !wasAwaited;
        return wasAwaited;
    }

    /// <summary>What was read is sent.</summary>
    public void OnSent() => _loaded = null;

    /// <summary>Nothing is to be read, and what was read is wanted no longer.</summary>
    public void Forget() => (_loaded, IsAwaited) = (null, false);

    private bool IsFor(in Delivery delivery) => IsAwaited && _delivery == delivery;
}
