using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>How many messages the consumers of a session may hand over ahead of its writing: each that is done with is
/// owed another. Owned by the connection.</summary>
/// <param name="client">The broker's client.</param>
/// <param name="own">The consumer on the session's own queue: what it is owed is granted at once for many.</param>
internal sealed class ConsumerCredit(BrokerClient client, Consumer own)
{
    private int _owed;

    // Those of shared subscriptions whose messages are in the session's own queue now, by a number of each message.
    private Dictionary<int, Consumer>? _taken;
    private int _lastTaken;

    /// <summary>A message of the consumer is done with.</summary>
    public void Owe(Consumer consumer)
    {
        if (ReferenceEquals(consumer, own))
        {
            _owed++;
        }
        else
        {
            client.Grant(consumer, 1);
        }
    }

    /// <summary>A message of a shared subscription goes into the session's own queue: another one is asked for when it
    /// has left that queue, whatever took it, of which the broker tells with the tag.</summary>
    public ulong OweWhenGone(Consumer shared)
    {
        (_taken ??= []).Add(++_lastTaken, shared);
        return new Tag(TagKind.Taken, _lastTaken).Value;
    }

    /// <summary>One has left the session's own queue, or did not come into it.</summary>
    public void OnGone(Tag taken)
    {
        if (_taken?.Remove(taken.Number, out Consumer? shared) == true)
        {
            Owe(shared);
        }
    }

    /// <summary>Grants what the session's own consumer is owed.</summary>
    public void Grant()
    {
        if (_owed > 0)
        {
            client.Grant(own, _owed);
            _owed = 0;
        }
    }
}
