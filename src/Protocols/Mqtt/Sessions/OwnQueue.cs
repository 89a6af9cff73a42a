using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>
/// What the node itself puts into the queue of a session: copies of messages that are to be answered, of retained ones
/// and of shared subscriptions, to wait there like any other message. Owned by the connection.
/// </summary>
internal sealed class OwnQueue(SessionQueues queues)
{
    private Producer? _producer;
    private int _credit;

    /// <summary>Whether it takes one more now.</summary>
    public bool HasRoom => _producer is null || _credit > 0;

    /// <summary>Whether the producer is this one's.</summary>
    public bool Owns(Producer producer) => ReferenceEquals(producer, _producer);

    /// <summary>So many more may be published.</summary>
    public void AddCredit(int credit) => _credit += credit;

    /// <summary>Publishes a copy; what the queue does not take is told. With a <paramref name="tag"/> the broker tells
    /// when the copy has left the queue.</summary>
    public BrokerException? Publish(in MqttMessageMap copy, long expiresAtMs, Transaction? transaction, ulong tag = 0)
    {
        _producer ??= queues.Client.OpenProducer(new ProducerOptions
        {
            Address = $"{SessionNames.Address}::{queues.Queue}",
            TellsGone = true,
        });
        byte[] bytes = new byte[copy.Bytes];
        copy.Write(bytes);
        var header = new MessageHeader
        {
            Durable = true,
            ExpiresAtMs = expiresAtMs,
            Format = PayloadFormat.Mqtt,
        };
        _credit--;
        return queues.Client.Publish(
            _producer, header, new ReadOnlySequence<byte>(bytes), tag, to: null, transaction);
    }

    /// <summary>The properties of a copy that goes as it is: those of the message and the subscription's
    /// identifier.</summary>
    public static ReadOnlySpan<byte> PropertiesFor(in MqttMessageMap stored, Subscription subscription)
    {
        var properties = new PropertyWriter();
        properties.AddEncoded(stored.Properties);
        if (subscription.Id != 0)
        {
            properties.Add(PropertyId.SubscriptionIdentifier, (uint)subscription.Id);
        }

        return properties.Written;
    }
}
