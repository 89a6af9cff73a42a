using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Producers;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>The second half of a pass: what the broker tells, deliveries out.</content>
internal sealed partial class ConnectedClient : IClientEvents
{
    // Rounds of "hear the broker, write, tell the broker" in one pass.
    private const int RoundsMax = 8;

    /// <summary>Whether <see cref="Turn"/> has something to hear.</summary>
    public bool HasEvents => _traits.Inbox.HasAny || _client.HasEvents;

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: deliveries are written only while the
    /// total of bytes written is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        bool wasHeldBack = _producers.IsHeldBack;
        for (int round = 0; round < RoundsMax; round++)
        {
            _client.Flush();
            _client.DrainInbox(this);
            if (!_listeners.Hear(_turns, _clock.NowMs))
            {
                EndReason ??= "advisories are not read";
            }

            bool wrote = EndReason is null && _turns.Write(outputLimit);
            if (!wrote && !HasEvents)
            {
                break;
            }
        }

        _client.Flush();
        return HasEvents || (EndReason is null && _turns.Any) || (wasHeldBack && !_producers.IsHeldBack);
    }

    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery)
    {
        var inlet = (Inlet)delivery.Consumer.Tag!;
        inlet.Endpoint.OnDelivery(delivery, inlet);
        _turns.Enqueue(inlet.Endpoint);
    }

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error) => _sends.OnPublished(error);

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit) => ((Outlet)producer.Tag!).Credit += credit;

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit)
    {
        var inlet = (Inlet)consumer.Tag!;
        inlet.Endpoint.OnDrained(_client, inlet, unusedCredit);
        _turns.Enqueue(inlet.Endpoint);
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
            _output.Respond(commandId);
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
    void IClientEvents.OnQueueMade(QueueWatch watch, string queue) =>
        _consumers.OnQueueMade((ConsumerEndpoint)watch.Tag!, queue);

    /// <inheritdoc/>
    void IClientEvents.OnNameChanged(QueueWatch watch, in NameChange change) =>
        _listeners.OnNameChanged(watch, change);

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
        var inlet = (Inlet)consumer.Tag!;
        if (_consumers.OnClosed(inlet))
        {
            _output.Write(new ConsumerControl { ConsumerId = inlet.Endpoint.Info.ConsumerId, Close = true });
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason) =>
        _producers.OnClosed((Outlet)producer.Tag!);

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason) => EndReason ??= reason.Message;
}
