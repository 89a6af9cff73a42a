using System.Buffers;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>
/// Where messages that carry TCP connections leave the network: a service's address, where each is a new connection to
/// the server, or the address of one connection for its other direction. Owned by its loop.
/// </summary>
internal sealed class TcpOutlet(TcpLoop loop, Func<TcpMessage, TcpStream?> streamOf) : Outlet
{
    /// <inheritdoc/>
    public override OutletPlace Place => OutletPlace.Inside;

    internal override RoutedInbox Inbox => loop.Traffic.Inbox;

    internal override void OnDelivery(RoutedDelivery delivery)
    {
        TcpMessage message;
        TcpStream? stream;
        try
        {
            message = TcpMessage.Read(delivery.Block.AsSpan(0, delivery.Length));
            stream = loop.IsOver ? null : streamOf(message);
        }
        catch (AmqpException fault)
        {
            Conclude(delivery, RoutedState.Rejected(fault.Condition, fault.Message));
            return;
        }

        if (stream is null)
        {
            Conclude(delivery, RoutedState.Released);
            return;
        }

        delivery.Sink = stream;
        stream.OnIncoming(delivery, delivery.Block.AsSpan(message.BodyOffset, delivery.Length - message.BodyOffset));
    }

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part)
    {
        if (delivery.Sink is TcpStream stream)
        {
            stream.OnIncomingPart(part);
        }
        else
        {
            ArrayPool<byte>.Shared.Return(part.Bytes);
        }
    }

    internal override void OnAbort(RoutedDelivery delivery) =>
        (delivery.Sink as TcpStream)?.Fail("the other end broke off");

    internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        // What the sender says changes nothing for the octets.
    }

    private void Conclude(RoutedDelivery delivery, byte[] state)
    {
        delivery.FreeRented();
        loop.Traffic.Touch(delivery.Conclude(state));
    }
}
