using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Content;
using Pillarbox.Protocols.OpenWire.Producers;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>The second half of a pass: what the broker tells, deliveries out.</content>
internal sealed partial class ConnectedClient : IClientEvents
{
    // Rounds of "hear the broker, write, tell the broker" in one pass.
    private const int RoundsMax = 8;

    // Messages that one consumer may write before the next one has its turn.
    private const int MessagesPerTurn = 64;

    // What a frame holds beside the message that is kept: numbers, ids and names.
    private const int FrameBytesBeside = 1024;

    private readonly Queue<ConsumerEndpoint> _ready = new();
    private readonly Queue<ConsumerEndpoint> _reads = new();
    private long _lastSequence;

    /// <summary>Whether <see cref="Turn"/> has something to hear.</summary>
    public bool HasEvents => _traits.Inbox.HasAny || Client.HasEvents;

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: deliveries are written only while the
    /// total of bytes written is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        bool wasHeldBack = IsProducerHeldBack;
        for (int round = 0; round < RoundsMax; round++)
        {
            Client.Flush();
            Client.DrainInbox(this);
            HearAdvisories();
            bool wrote = WriteDeliveries(outputLimit);
            if (!wrote && !HasEvents)
            {
                break;
            }
        }

        Client.Flush();
        return HasEvents || (EndReason is null && _ready.Count > 0) || (wasHeldBack && !IsProducerHeldBack);
    }

    /// <summary>A consumer that needs bytes from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out ConsumerEndpoint consumer) => _reads.TryDequeue(out consumer!);

    /// <summary>The read has ended.</summary>
    public void OnRead(ConsumerEndpoint endpoint, in MessageLease lease)
    {
        endpoint.IsReading = false;
        if (endpoint.IsClosed)
        {
            lease.Large?.Dispose();
            lease.Dispose();
            return;
        }

        Send(endpoint, lease, null);
        Enqueue(endpoint);
    }

    /// <summary>The same of a message with a body in a file, which was read into memory.</summary>
    public void OnRead(ConsumerEndpoint endpoint, in MessageLease lease, byte[] body)
    {
        endpoint.IsReading = false;
        if (!endpoint.IsClosed)
        {
            Send(endpoint, lease, body);
            Enqueue(endpoint);
        }
    }

    /// <summary>The read has failed: the message is damaged, or cannot be had in this protocol.</summary>
    public void OnReadFailed(ConsumerEndpoint endpoint, string reason, bool isDamaged)
    {
        endpoint.IsReading = false;
        if (endpoint.IsClosed)
        {
            return;
        }

        GiveUp(endpoint, reason, isDamaged);
        Enqueue(endpoint);
    }

    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery)
    {
        var inlet = (Inlet)delivery.Consumer.Tag!;
        inlet.Endpoint.OnDelivery(delivery, inlet);
        Enqueue(inlet.Endpoint);
    }

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
        if (!_sends.OnPublished(error, out SendReport send))
        {
            return;
        }

        if (send.ResponseRequired && send.Error is null)
        {
            Output.Respond(send.CommandId);
        }
        else if (send.ResponseRequired)
        {
            Output.Respond(send.CommandId, BrokerErrors.ToThrowable(send.Error!));
        }
        else if (send.Error is not null)
        {
            TellError(BrokerErrors.ToThrowable(send.Error));
        }

        if (send.Producer.HasWindow && !send.ResponseRequired)
        {
            Output.Write(new ProducerAck { ProducerId = send.Producer.Id, Size = send.Bytes });
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit) => ((Outlet)producer.Tag!).Credit += credit;

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit)
    {
        var inlet = (Inlet)consumer.Tag!;
        inlet.Endpoint.OnDrained(Client, inlet, unusedCredit);
        Enqueue(inlet.Endpoint);
    }

    /// <inheritdoc/>
    void IClientEvents.OnSettled(ulong tag)
    {
        if (SettlementTag.IsPrepare(tag, out int commandId))
        {
            _transactions.OnPrepared(commandId);
        }
        else
        {
            Output.Respond(commandId);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (SettlementTag.IsPrepare(tag, out int commandId))
        {
            _transactions.OnPrepareRefused(transaction, commandId, error);
        }
        else
        {
            _transactions.OnDischarged(transaction, error);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnQueueMade(QueueWatch watch, string queue)
    {
        var endpoint = (ConsumerEndpoint)watch.Tag!;
        if (endpoint.Listener is { } listener)
        {
            TellQueue(listener, queue);
        }
        else if (!endpoint.IsClosed)
        {
            OpenMatching(endpoint, queue);
            endpoint.Regulate(Client);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
        var inlet = (Inlet)consumer.Tag!;
        ConsumerEndpoint endpoint = inlet.Endpoint;
        if (endpoint.Watches.Count > 0)
        {
            // One of the queues that match has gone.
            endpoint.Forget(inlet);
            return;
        }

        if (_consumers.Remove(endpoint.Info.ConsumerId!))
        {
            Close(endpoint, countAttempts: false);
            Output.Write(new ConsumerControl { ConsumerId = endpoint.Info.ConsumerId, Close = true });
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason)
    {
        var outlet = (Outlet)producer.Tag!;
        ProducerEndpoint? endpoint = _producers.Values.FirstOrDefault(one => one.Own == outlet);
        if (endpoint is not null)
        {
            // Its next message goes by the relay, which makes the address anew when the settings allow it.
            _producers[endpoint.Id] = new ProducerEndpoint(new ProducerInfo { ProducerId = endpoint.Id })
            {
                Memory = endpoint.Memory,
                LastNumber = endpoint.LastNumber,
                Facts = endpoint.Facts,
            };
        }

        _heldBy = _heldBy == outlet ? null : _heldBy;
    }

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason) => End(reason.Message);

    private void Enqueue(ConsumerEndpoint endpoint)
    {
        if (!endpoint.IsQueued && endpoint.HasWork)
        {
            endpoint.IsQueued = true;
            _ready.Enqueue(endpoint);
        }
    }

    private bool WriteDeliveries(long outputLimit)
    {
        bool wrote = false;
        while (EndReason is null && Output.BytesWritten < outputLimit
            && _ready.TryDequeue(out ConsumerEndpoint? endpoint))
        {
            endpoint.IsQueued = false;
            for (int i = 0; i < MessagesPerTurn && endpoint.HasWork && Output.BytesWritten < outputLimit; i++)
            {
                wrote |= WriteOne(endpoint);
            }

            Enqueue(endpoint);
        }

        return wrote;
    }

    private bool WriteOne(ConsumerEndpoint endpoint)
    {
        if (endpoint.TryTakeAdvisory(out Message? advisory))
        {
            Output.Dispatch(endpoint.Info.ConsumerId!, advisory!.Destination!, advisory, 0);
            return true;
        }

        if (endpoint.PendingCount == 0)
        {
            endpoint.OwesEnd = false;
            Output.Dispatch(endpoint.Info.ConsumerId!, endpoint.Info.Destination!, null, 0);
            return true;
        }

        try
        {
            Delivery delivery = endpoint.NextDelivery;
            if (!Client.TryRead(delivery, out MessageLease lease) || lease.Large is not null)
            {
                // A body in a file is read by the loop, too.
                lease.Large?.Dispose();
                lease.Dispose();
                endpoint.IsReading = true;
                _reads.Enqueue(endpoint);
                return false;
            }

            Send(endpoint, lease, null);
        }
        catch (ConversionException refusal)
        {
            GiveUp(endpoint, refusal.Message, isDamaged: false);
        }

        return true;
    }

    private void Send(ConsumerEndpoint endpoint, in MessageLease lease, byte[]? body)
    {
        using MessageLease taken = lease;
        if ((body?.Length ?? taken.Payload.Length) + FrameBytesBeside > _traits.FrameBytesMax)
        {
            // The client would end the connection, and get it again: others may take it.
            GiveUp(endpoint, Outcome.Failed with
            {
                UndeliverableHere = true,
                Reason = $"the client takes frames of at most {_traits.FrameBytesMax} bytes",
            });
            return;
        }

        Message message;
        try
        {
            message = _map.Read(taken.Header, body ?? taken.Payload);
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

        id.BrokerSequence = ++_lastSequence;
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
        Output.Dispatch(endpoint.Info.ConsumerId!, message.Destination!, message, failed);
        endpoint.Regulate(Client);
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

    private void GiveUp(ConsumerEndpoint endpoint, string reason, bool isDamaged)
    {
        if (!isDamaged)
        {
            GiveUp(endpoint, new Outcome(OutcomeKind.Rejected, Reason: reason));
            return;
        }

        Client.Quarantine(endpoint.NextDelivery, reason);
        endpoint.DropDelivery();
        endpoint.Regulate(Client);
    }

    private void GiveUp(ConsumerEndpoint endpoint, in Outcome outcome)
    {
        Client.Settle(endpoint.NextDelivery, outcome);
        endpoint.DropDelivery();
        endpoint.Regulate(Client);
    }
}
