using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Protocols.Amqp.Routed.Counting;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Messages of the network into an address of the node's own broker. Owned by the port's loop.</summary>
internal sealed class BrokerOutlet(BrokerPort port, string address) : Outlet
{
    /// <summary>The longest message that is taken.</summary>
    public const int MessageBytesMax = 16 << 20;

    private readonly Queue<RoutedDelivery> _waiting = new();
    private readonly Dictionary<RoutedDelivery, ArrayBufferWriter<byte>> _parts = [];
    private Producer? _producer;
    private int _credit;
    private bool _isClosed;

    /// <inheritdoc/>
    public override OutletPlace Place => OutletPlace.Inside;

    internal override RoutedInbox Inbox => port.Traffic.Inbox;

    /// <summary>The broker takes more messages.</summary>
    public void OnCredit(int credit)
    {
        _credit += credit;
        Pump();
    }

    /// <summary>The address is gone: what waits goes back.</summary>
    public void OnClosed()
    {
        _isClosed = true;
        while (_waiting.TryDequeue(out RoutedDelivery? delivery))
        {
            _parts.Remove(delivery);
            port.Conclude(delivery, RoutedState.Released);
        }

        if (_producer is not null)
        {
            port.Client.CloseProducer(_producer);
            _producer = null;
        }
    }

    internal override void OnDelivery(RoutedDelivery delivery)
    {
        if (_isClosed || !Open())
        {
            port.Conclude(delivery, RoutedState.Released);
            return;
        }

        if (delivery.IsWhole)
        {
            _waiting.Enqueue(delivery);
            Pump();
            return;
        }

        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write(delivery.Block.AsSpan(0, delivery.Length));
        _parts.Add(delivery, bytes);
    }

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part)
    {
        if (_parts.TryGetValue(delivery, out ArrayBufferWriter<byte>? bytes))
        {
            bytes.Write(part.Bytes.AsSpan(0, part.Length));
        }

        ArrayPool<byte>.Shared.Return(part.Bytes);
        port.Traffic.Post(delivery.Source.Inbox, new RoutedEvent(RoutedEventKind.Consumed, delivery)
        {
            Generation = delivery.Generation,
            Count = 1,
        });
        if (bytes?.WrittenCount > MessageBytesMax)
        {
            _parts.Remove(delivery);
            port.Conclude(delivery, RoutedState.Rejected(
                AmqpErrorCondition.LinkMessageSizeExceeded,
                $"a message through the network into a broker is at most {MessageBytesMax} bytes"));
        }
        else if (part.IsLast && bytes is not null)
        {
            _waiting.Enqueue(delivery);
            Pump();
        }
    }

    internal override void OnAbort(RoutedDelivery delivery)
    {
        _parts.Remove(delivery);
        port.Conclude(delivery, RoutedState.Released);
    }

    internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        // The broker's word is the last in any case.
    }

    private bool Open()
    {
        if (_producer is not null)
        {
            return true;
        }

        try
        {
            _producer = port.Client.OpenProducer(new ProducerOptions { Address = address, Name = "$network" });
            _producer.Tag = this;
            return true;
        }
        catch (BrokerException)
        {
            return false;
        }
    }

    private void Pump()
    {
        while (_credit > 0 && _producer is not null && _waiting.TryDequeue(out RoutedDelivery? delivery))
        {
            _credit--;
            ReadOnlyMemory<byte> message = _parts.Remove(delivery, out ArrayBufferWriter<byte>? bytes)
                ? bytes.WrittenMemory
                : delivery.Block.AsMemory(0, delivery.Length);
            try
            {
                port.Publish(_producer, delivery, message);
            }
            catch (AmqpException fault)
            {
                _credit++;
                port.Conclude(delivery, RoutedState.Rejected(fault.Condition, fault.Message));
            }
        }
    }
}
