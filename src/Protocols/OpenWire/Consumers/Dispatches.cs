using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Content;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>How a message goes out to a consumer, numbered on its connection; or is given up. Used by the connection's
/// loop alone.</summary>
internal sealed class Dispatches(
    BrokerClient client, ClientTraits traits, OpenWireMessageMap map, CommandOutput output)
{
    // What a frame holds beside the message that is kept: numbers, ids and names.
    private const int FrameBytesBeside = 1024;

    private long _lastNumber;

    /// <summary>The consumer's next delivery goes out. <paramref name="body"/>: that of a file, read into memory.
    /// </summary>
    public void Send(ConsumerEndpoint endpoint, in MessageLease lease, byte[]? body)
    {
        using MessageLease taken = lease;
        if ((body?.Length ?? taken.Payload.Length) + FrameBytesBeside > traits.FrameBytesMax)
        {
            // The client would end the connection, and get it again: others may take it.
            GiveUp(endpoint, Outcome.Failed with
            {
                UndeliverableHere = true,
                Reason = $"the client takes frames of at most {traits.FrameBytesMax} bytes",
            });
            return;
        }

        Message message;
        try
        {
            message = map.Read(taken.Header, body ?? taken.Payload);
        }
        catch (OpenWireException damage)
        {
            GiveUp(endpoint, damage.Message, isDamaged: true);
            return;
        }

        Delivery delivery = endpoint.NextDelivery;
        var inlet = (Inlet)delivery.Consumer.Tag!;
        Address(message, inlet, isMoved: taken.Origin is not null);
        MessageId id = message.MessageId ??= JmsIds.ToMessageId(default);
        if (id.Producer == JmsIds.Foreign)
        {
            // Clients tell repeated messages by producer and number.
            id.Producer = delivery.Durable ? JmsIds.Foreign : JmsIds.ForeignTransient;
            id.ProducerSequence = delivery.MessageId;
        }

        id.BrokerSequence = ++_lastNumber;
        endpoint.TakeDelivery();
        endpoint.Unacked.Add(new Unacked
        {
            Sequence = id.BrokerSequence,
            Delivery = delivery,
            Producer = id.Producer,
            ProducerSequence = id.ProducerSequence,
        });
        message.GroupFirstForConsumer = delivery.StartsGroup;
        int failed = delivery.DeliveryCount + (int)Math.Min(taken.Header.DeliveryCount, int.MaxValue / 2);
        output.Dispatch(endpoint.Info.ConsumerId!, message.Destination!, message, failed);
        endpoint.Regulate(client);
    }

    /// <summary>An advisory goes out.</summary>
    public void SendAdvisory(ConsumerEndpoint endpoint, Message advisory)
    {
        MessageId id = advisory.MessageId!;
        id.ProducerSequence = id.BrokerSequence = ++_lastNumber;
        output.Dispatch(endpoint.Info.ConsumerId!, advisory.Destination!, advisory, 0);
    }

    /// <summary>The client is told that there is no message (more).</summary>
    public void SendEnd(ConsumerEndpoint endpoint)
    {
        endpoint.OwesEnd = false;
        output.Dispatch(endpoint.Info.ConsumerId!, endpoint.Info.Destination!, null, 0);
    }

    /// <summary>The consumer's next delivery does not go out: it is damaged, or cannot be had in this protocol.
    /// </summary>
    public void GiveUp(ConsumerEndpoint endpoint, string reason, bool isDamaged)
    {
        if (!isDamaged)
        {
            GiveUp(endpoint, new Outcome(OutcomeKind.Rejected, Reason: reason));
            return;
        }

        client.Quarantine(endpoint.NextDelivery, reason);
        endpoint.DropDelivery();
        endpoint.Regulate(client);
    }

    // A consumer of one queue sees that queue as the destination; what it was sent to stays as the original one.
    private static void Address(Message message, Inlet inlet, bool isMoved)
    {
        Destination own = inlet.Name.Destination;
        bool isShownAsOwn = message.Destination is null || isMoved || (!own.IsTopic && !inlet.Name.IsWildcard);
        if (isShownAsOwn && message.Destination != own)
        {
            message.OriginalDestination ??= message.Destination;
            message.Destination = own;
        }
    }

    private void GiveUp(ConsumerEndpoint endpoint, in Outcome outcome)
    {
        client.Settle(endpoint.NextDelivery, outcome);
        endpoint.DropDelivery();
        endpoint.Regulate(client);
    }
}
