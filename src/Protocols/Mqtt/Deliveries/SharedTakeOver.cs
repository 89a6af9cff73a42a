using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>
/// Messages of QoS 2 of shared subscriptions (MQTT 5.0 §4.8.2): once one is on its way to a client it is that client's
/// alone, whatever becomes of the connection. A session that outlives its connection takes the message into its own
/// queue before it sends it, both in one transaction; one that does not ends the message with itself (<see
/// cref="OutgoingAnswers.EndUnanswered"/>). Owned by the connection.
/// </summary>
internal sealed class SharedTakeOver(
    BrokerClient client, PassTransaction pass, OwnQueue own, ConsumerCredit credit, ILogger logger)
{
    /// <summary>Takes one; blocked: the session's own queue takes nothing now.</summary>
    public SendResult TryTake(
        in Delivery delivery, Subscription shared, in MessageHeader header, in OutgoingPublish outgoing)
    {
        if (!own.HasRoom)
        {
            return SendResult.Blocked;
        }

        var copy = new MqttMessageMap
        {
            Qos = 2,
            Retain = outgoing.Retain,
            IsAsItIs = true,
            Topic = outgoing.Message.Topic,
            Properties = OwnQueue.PropertiesFor(outgoing.Message, shared),
            Payload = outgoing.Message.Payload,
        };
        Transaction transaction = pass.Take(copy.Bytes);
        ulong tag = credit.OweWhenGone(delivery.Consumer);
        if (own.Publish(copy, header.ExpiresAtMs, transaction, tag) is { } refusal)
        {
            // Nothing of it was sent: it is the group's still, for others of its members. What a transaction has no
            // room for lets it fail.
            pass.End();
            Log.NotTakenOver(logger, client.Info.ClientId, refusal.Message);
            client.Settle(delivery, new Outcome(OutcomeKind.Modified, UndeliverableHere: true));
            credit.OnGone(Tag.From(tag));
            return SendResult.Done;
        }

        client.Settle(delivery, Outcome.Accepted, 0, transaction);
        pass.AddTakeOver();
        return SendResult.Done;
    }
}
