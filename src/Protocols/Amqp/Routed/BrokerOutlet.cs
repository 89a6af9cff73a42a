using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Messages of the network into an address of the node's own broker. Owned by the port's loop.</summary>
internal sealed class BrokerOutlet(BrokerPort port, string address) : Outlet
{
    private readonly Queue<RoutedDelivery> _waiting = new();
    private readonly Dictionary<RoutedDelivery, BrokerUpload> _uploads = [];
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

    /// <summary>The disk may have caught up with what comes in pieces.</summary>
    public void Look()
    {
        if (_uploads.Count > 0)
        {
            foreach (BrokerUpload upload in _uploads.Values)
            {
                upload.Look();
            }

            Pump();
        }
    }

    /// <summary>The address is gone: what waits goes back.</summary>
    public void OnClosed()
    {
        _isClosed = true;
        foreach ((RoutedDelivery delivery, BrokerUpload upload) in _uploads)
        {
            upload.Abort();
            if (!_waiting.Contains(delivery))
            {
                port.Conclude(delivery, RoutedState.Released);
            }
        }

        _uploads.Clear();
        while (_waiting.TryDequeue(out RoutedDelivery? delivery))
        {
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

        Producer producer = _producer!;
        var upload = new BrokerUpload(port, delivery, producer, () => port.Client.BeginLarge(producer));
        _uploads.Add(delivery, upload);
        TryAdd(delivery, upload, delivery.Block.AsSpan(0, delivery.Length));
    }

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part)
    {
        if (_uploads.TryGetValue(delivery, out BrokerUpload? upload)
            && TryAdd(delivery, upload, part.Bytes.AsSpan(0, part.Length)))
        {
            upload.Took();
            if (part.IsLast)
            {
                upload.End();
                _waiting.Enqueue(delivery);
                Pump();
            }
        }

        ArrayPool<byte>.Shared.Return(part.Bytes);
    }

    internal override void OnAbort(RoutedDelivery delivery)
    {
        if (_uploads.Remove(delivery, out BrokerUpload? upload))
        {
            upload.Abort();
        }

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

    // In the order in which they came: one that is not on disk yet holds up those behind it.
    private void Pump()
    {
        while (_credit > 0 && _producer is not null && _waiting.TryPeek(out RoutedDelivery? delivery))
        {
            BrokerUpload? upload = _uploads.GetValueOrDefault(delivery);
            if (upload is { IsWhole: false })
            {
                return;
            }

            _waiting.Dequeue();
            _uploads.Remove(delivery);
            _credit--;
            try
            {
                Publish(delivery, upload);
            }
            catch (AmqpException fault)
            {
                _credit++;
                port.Conclude(delivery, RoutedState.Rejected(fault.Condition, fault.Message));
            }
        }
    }

    private void Publish(RoutedDelivery delivery, BrokerUpload? upload)
    {
        if (upload is null)
        {
            port.Publish(_producer!, delivery, delivery.Block.AsMemory(0, delivery.Length));
        }
        else
        {
            upload.Publish();
        }
    }

    // False: it is rejected, and what still comes of it is dropped.
    private bool TryAdd(RoutedDelivery delivery, BrokerUpload upload, ReadOnlySpan<byte> bytes)
    {
        byte[]? refusal = null;
        try
        {
            upload.Add(bytes);
            if (upload.Length > port.Options.MaxMessageBytes)
            {
                refusal = RoutedState.Rejected(
                    AmqpErrorCondition.LinkMessageSizeExceeded,
                    $"the message is larger than {port.Options.MaxMessageBytes} bytes");
            }
        }
        catch (AmqpException fault)
        {
            refusal = RoutedState.Rejected(fault.Condition, fault.Message);
        }

        if (refusal is not null)
        {
            _uploads.Remove(delivery);
            upload.Abort();
            port.Conclude(delivery, refusal);
        }

        return refusal is null;
    }
}
