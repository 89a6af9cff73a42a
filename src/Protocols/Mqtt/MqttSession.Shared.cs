using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt;

/// <content>
/// Messages of QoS 2 of shared subscriptions (MQTT 5.0 §4.8.2): once one is on its way to a client it is that client's
/// alone, whatever becomes of the connection. A session that outlives its connection takes the message into its own
/// queue before it sends it, both in one transaction; one that does not ends the message with itself.
/// </content>
internal sealed partial class MqttSession
{
    private Queue<Consumer>? _takenFrom;

    private SendResult TryTakeOver(
        in Delivery delivery, Subscription shared, in MessageHeader header, in OutgoingPublish outgoing)
    {
        if (!_own.HasRoom)
        {
            return SendResult.Blocked;
        }

        var copy = new MqttMessageMap
        {
            Qos = 2,
            Retain = outgoing.Retain,
            IsAsItIs = true,
            IsTaken = true,
            Topic = outgoing.Message.Topic,
            Properties = OwnQueue.PropertiesFor(outgoing.Message, shared),
            Payload = outgoing.Message.Payload,
        };
        Transaction transaction = _pass.Take(copy.Bytes);
        if (_own.Publish(copy, header.ExpiresAtMs, transaction) is { } refusal)
        {
            // Nothing of it was sent: it is the group's still, for others of its members. What a transaction has no
            // room for lets it fail.
            _pass.End();
            Log.NotTakenOver(_environment.Logger, _client.Info.ClientId, refusal.Message);
            _client.Settle(delivery, new Outcome(OutcomeKind.Modified, UndeliverableHere: true));
            Owe(delivery.Consumer);
            return SendResult.Done;
        }

        _client.Settle(delivery, Outcome.Accepted, 0, transaction);
        _pass.AddTakeOver();
        // Another one is asked for when the client has this one.
        (_takenFrom ??= new Queue<Consumer>()).Enqueue(delivery.Consumer);
        return SendResult.Done;
    }

    // Without a session that goes on, what was sent once and not answered ends with it.
    private void EndUnanswered(Subscription? shared)
    {
        foreach (ushort id in _window.Ids)
        {
            if (_window.TryGet(id, out Outgoing outgoing)
                && outgoing is { Qos: 2, State: OutgoingState.Sent }
                && outgoing.Delivery.Consumer.Tag is Subscription { Group: not null }
                && (shared is null || ReferenceEquals(outgoing.Delivery.Consumer.Tag, shared)))
            {
                _client.Settle(outgoing.Delivery, Outcome.Accepted);
            }
        }
    }
}
