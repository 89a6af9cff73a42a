using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Routed.Drawing;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// Messages of one address of the broker to whoever wants them elsewhere in the network: while there is somebody, a
/// consumer of the node itself draws, as many at a time as a link may have; each is settled by what the receiver says.
/// Owned by the port's loop.
/// </summary>
internal partial class BrokerSource(BrokerPort port, string address, bool isStream, bool isMulticast)
    : IRoutedSource, IDestinationWatch, IDestinationListener
{
    /// <summary>Messages that are too long for memory, and of which further pieces are to come, at once.</summary>
    public const int DownloadsMax = 4;

    private readonly Queue<Delivery> _pending = new();
    private readonly List<RouteChoice> _choices = [];
    private readonly List<BrokerDownload> _downloads = [];
    private readonly SourceDrains _drains = new();
    private IRoute? _route;
    private AddressTally? _tally;
    private Consumer? _consumer;
    private string? _subscription;
    private RouterStamp _stamp;
    private Task<DrawnMessage>? _read;
    private long _drawn;
    private long _handedOn;
    private int _outstanding;
    private int _toGrant;
    private bool _isWanted;
    private bool _isClosed;

    /// <inheritdoc/>
    public RoutedInbox Inbox => port.Traffic.Inbox;

    /// <summary>Where its messages go.</summary>
    public IRoute? Route => _route;

    /// <summary>Priorities that its messages had so far, a bit each.</summary>
    public int PrioritiesSeen { get; private set; }

    /// <summary>Says where its messages go.</summary>
    public void SetRoute(IRoute route)
    {
        _route = route;
        _tally = route.Tallies.Open();
        _stamp = RouterStamp.Of(port.Network, route.Address, route.Phase);
    }

    /// <inheritdoc/>
    public void OnDestinations(bool any)
    {
        Inbox.Post(new RoutedEvent(RoutedEventKind.Destinations, this) { Flag = any });
        Inbox.Wake();
    }

    /// <inheritdoc/>
    public virtual void OnDestinationsTold(bool any)
    {
        _isWanted = any && !_isClosed;
        if (_isWanted)
        {
            Open();
        }
        else
        {
            StopDrawing();
        }
    }

    /// <summary>The place is gone from the broker, or the node stops.</summary>
    public virtual void Close()
    {
        _isClosed = true;
        _isWanted = false;
        if (_tally is not null)
        {
            _route!.Tallies.Close(_tally);
        }

        CloseConsumer();
    }

    /// <summary>A message of the broker.</summary>
    public void OnDelivery(in Delivery delivery)
    {
        _drawn++;
        _pending.Enqueue(delivery);
    }

    /// <summary>The broker took unused credit back: it has nothing more now.</summary>
    public void OnDrained(int unused)
    {
        _toGrant += unused;
        _drains.OnDrained(_drawn);
    }

    /// <summary>Calls when all that the broker has now, as far as it may be on its way, has been handed on.</summary>
    public void WhenDrained(Action done) => _drains.Add(done);

    /// <summary>The core closed the consumer: its deliveries are void.</summary>
    public virtual void OnClosed(BrokerException reason)
    {
        _consumer = null;
        Forget();
    }

    /// <inheritdoc/>
    public virtual void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (!settled)
        {
            // What settles second waits for its sender: that is here.
            port.Traffic.Post(delivery.Outlet.Inbox, new RoutedEvent(RoutedEventKind.SenderState, delivery)
            {
                Generation = delivery.Generation,
                Bytes = state,
                Flag = true,
            });
            ((DrawnDelivery)delivery).EarlyOutcome = state;
            return;
        }

        var drawn = (DrawnDelivery)delivery;
        drawn.Download?.Remove(drawn);
        byte[] stated = drawn.EarlyOutcome ?? state;
        RoutedCopies? copies = delivery.Copies;
        if (copies is not null)
        {
            copies.State = RoutedState.Rank(stated) > RoutedState.Rank(copies.State) ? stated : copies.State;
            if (--copies.Left > 0)
            {
                return;
            }

            stated = copies.State;
        }

        _outstanding--;
        _toGrant++;
        Settle(drawn.Drawn, drawn.Download is { IsBroken: true } ? NotFromHere : OutcomeOf(stated));
    }

    /// <inheritdoc/>
    public void OnConsumed(RoutedDelivery delivery, int frames) => BrokerDownload.OnConsumed(delivery, frames);

    /// <summary>Hands on what was drawn, and draws more.</summary>
    public void Pump()
    {
        _downloads.ForEach(static download => download.Pump());
        _downloads.RemoveAll(static download => download.IsOver);
        while (_read is null or { IsCompleted: true } && _pending.TryPeek(out Delivery delivery))
        {
            if (!_isWanted)
            {
                DropRead();
                GiveBack(delivery, Outcome.Released);
            }
            else if (!TryHandOn(delivery))
            {
                break;
            }
        }

        AskForDrains();
        _drains.Tell(_handedOn);

        if (_isWanted && _consumer is not null && _toGrant > 0
            && (_toGrant >= port.Network.LinkCapacity / 8 || _outstanding == 0))
        {
            port.Client.Grant(_consumer, _toGrant);
            _toGrant = 0;
        }

        if (!_isWanted && _outstanding == 0 && _toGrant >= port.Network.LinkCapacity)
        {
            CloseConsumer();
        }
    }

    /// <summary>What it draws.</summary>
    protected virtual ConsumerOptions ToDraw() => new()
    {
        Queue = isStream ? address : QueueToDraw(),
        Stream = isStream ? new StreamReading { Stream = address } : null,
        Name = "$network",
        Format = PayloadFormat.Amqp,
    };

    /// <summary>The message as it goes into the network.</summary>
    protected virtual byte[] Dress(byte[] message) => message;

    /// <summary>Begins to draw. Errors: the broker's refusals.</summary>
    protected void OpenConsumer()
    {
        _consumer = port.Client.OpenConsumer(ToDraw());
        _consumer.Tag = this;
        _toGrant = port.Network.LinkCapacity;
        _isWanted = true;
    }

    private void Open()
    {
        if (_consumer is not null)
        {
            return;
        }

        try
        {
            OpenConsumer();
        }
        catch (BrokerException)
        {
            // Nothing to draw from any more: the look at the broker's places will tell so too.
            DropSubscription();
        }
    }

    private string QueueToDraw()
    {
        if (!isMulticast)
        {
            return port.Client.ResolveQueue(new AddressName(address, null), RoutingType.Anycast);
        }

        _subscription = DynamicNode.RandomName(port.Random);
        port.Client.CreateQueue(new QueueConfig
        {
            Name = _subscription,
            Address = address,
            RoutingType = RoutingType.Multicast,
            Durable = false,
            Temporary = true,
            AutoCreated = true,
        });
        return _subscription;
    }

    private void StopDrawing()
    {
        if (_consumer is not null)
        {
            port.Client.Drain(_consumer);
        }
    }

    // The broker says when it has nothing more; without a consumer that is so.
    private void AskForDrains()
    {
        if (!_drains.IsDue)
        {
            return;
        }

        _drains.OnAsked();
        if (_consumer is null || !_isWanted)
        {
            _drains.OnDrained(_drawn);
            return;
        }

        if (_toGrant > 0)
        {
            port.Client.Grant(_consumer, _toGrant);
            _toGrant = 0;
        }

        port.Client.Drain(_consumer);
    }

    // What is read from disk is of the oldest delivery, and of no other.
    private void Forget()
    {
        _pending.Clear();
        _handedOn = _drawn;
        _drains.OnDrained(_drawn);
        DropRead();
        _downloads.ForEach(static download => download.Abort());
        _downloads.Clear();
    }

    private void DropRead()
    {
        if (_read is { } read)
        {
            _read = null;
            _ = DropAsync(read);
        }
    }

    // The message's file is closed, if it came to that.
    private static async Task DropAsync(Task<DrawnMessage> read)
    {
        await ((Task)read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (read.IsCompletedSuccessfully)
        {
            (await read).Rest?.Dispose();
        }
    }

    private void CloseConsumer()
    {
        Forget();
        if (_consumer is not null)
        {
            port.Client.CloseConsumer(_consumer, countAttempts: false);
            _consumer = null;
        }

        DropSubscription();
    }

    private void DropSubscription()
    {
        if (_subscription is { } queue)
        {
            _subscription = null;
            try
            {
                port.Client.DeleteQueue(queue, ifUnused: false);
            }
            catch (BrokerException)
            {
                // Gone already.
            }
        }
    }

    private Outcome OutcomeOf(byte[] state)
    {
        DeliveryStateKind kind = DeliveryState.KindOf(state);
        return PeerOutcome.Read(kind, state, settled: true, null, port.Options).Outcome;
    }

    private void Settle(in Delivery delivery, in Outcome outcome)
    {
        if (_consumer is not null && delivery.Consumer == _consumer)
        {
            port.Client.Settle(delivery, outcome);
        }
    }
}
