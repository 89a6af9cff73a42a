using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>How many messages the consumers of a session may hand over ahead of its writing: each that is done with is
/// owed another. Owned by the connection.</summary>
/// <param name="client">The broker's client.</param>
/// <param name="own">The consumer on the session's own queue: what it is owed is granted at once for many.</param>
internal sealed class ConsumerCredit(BrokerClient client, Consumer own)
{
    private int _owed;

    // Those of shared subscriptions whose messages are in the session's own queue now.
    private Queue<Consumer>? _takenFrom;

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

    /// <summary>A message is done with, wherever it came from.</summary>
    public void Owe(in Outgoing outgoing)
    {
        Owe(outgoing.Delivery.Consumer);
        if (outgoing.IsTaken && _takenFrom?.TryDequeue(out Consumer? shared) == true)
        {
            client.Grant(shared, 1);
        }
    }

    /// <summary>A message of a shared subscription goes into the session's own queue: another one is asked for when the
    /// client has this one.</summary>
    public void OweWhenTaken(Consumer shared) => (_takenFrom ??= new Queue<Consumer>()).Enqueue(shared);

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
