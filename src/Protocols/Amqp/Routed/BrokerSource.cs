using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>A message of the broker on its way through the network.</summary>
internal sealed class DrawnDelivery : RoutedDelivery
{
    public Delivery Drawn { get; set; }

    /// <summary>What a receiver that settles second has said.</summary>
    public byte[]? EarlyOutcome { get; set; }
}

/// <summary>
/// Messages of one address of the broker to whoever wants them elsewhere in the network: while there is somebody, a
/// consumer of the node itself draws, as many at a time as a link may have; each is settled by what the receiver says.
/// Owned by the port's loop.
/// </summary>
internal class BrokerSource(BrokerPort port, string address, bool isStream, bool isMulticast)
    : IRoutedSource, IDestinationWatch, IDestinationListener
{
    /// <summary>The longest message that is drawn for another node.</summary>
    public const int MessageBytesMax = 16 << 20;

    private readonly Queue<Delivery> _pending = new();
    private readonly List<RouteChoice> _choices = [];
    private IRoute? _route;
    private AddressTally? _tally;
    private Consumer? _consumer;
    private string? _subscription;
    private RouterStamp _stamp;
    private Task<byte[]?>? _read;
    private int _outstanding;
    private int _toGrant;
    private bool _isWanted;
    private bool _isClosed;

    /// <inheritdoc/>
    public RoutedInbox Inbox => port.Traffic.Inbox;

    /// <summary>Where its messages go.</summary>
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
    public void OnDelivery(in Delivery delivery) => _pending.Enqueue(delivery);

    /// <summary>The broker took unused credit back.</summary>
    public void OnDrained(int unused) => _toGrant += unused;

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
        Settle(drawn.Drawn, OutcomeOf(stated));
    }

    /// <inheritdoc/>
    public void OnConsumed(RoutedDelivery delivery, int frames)
    {
    }

    /// <summary>Hands on what was drawn, and draws more.</summary>
    public void Pump()
    {
        while (_read is null or { IsCompleted: true } && _pending.TryPeek(out Delivery delivery))
        {
            if (!_isWanted)
            {
                _read = null;
                _pending.Dequeue();
                _toGrant++;
                Settle(delivery, Outcome.Released);
            }
            else if (!TryHandOn(delivery))
            {
                break;
            }
        }

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

    // What is read from disk is of the oldest delivery, and of no other.
    private void Forget()
    {
        _pending.Clear();
        _read = null;
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

    // False: the message comes from disk, and the port is woken when it is there.
    private bool TryHandOn(in Delivery delivery)
    {
        byte[]? message = null;
        if (_read is { IsCompleted: true } read)
        {
            message = read.IsCompletedSuccessfully ? read.Result : null;
            _read = null;
            _pending.Dequeue();
            if (message is null)
            {
                // Damaged, too long, or not to be had as AMQP: others may have it as it is.
                _toGrant++;
                Settle(delivery, new Outcome(OutcomeKind.Modified, UndeliverableHere: true));
                return true;
            }
        }
        else if (port.Client.TryRead(delivery, out MessageLease lease) && lease.Large is null)
        {
            message = Compose(delivery, lease);
            lease.Dispose();
            _pending.Dequeue();
        }
        else
        {
            lease.Large?.Dispose();
            lease.Dispose();
            Delivery wanted = delivery;
            _read = ReadAsync(wanted);
            if (!_read.IsCompleted)
            {
                _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(port.Wake);
            }

            return _read.IsCompleted;
        }

        HandOn(delivery, message);
        return true;
    }

    private async Task<byte[]?> ReadAsync(Delivery delivery)
    {
        MessageLease lease = await port.Client.ReadAsync(delivery, CancellationToken.None);
        try
        {
            if (lease.Large is not { } large)
            {
                return Compose(delivery, lease);
            }

            if (large.Length > MessageBytesMax)
            {
                return null;
            }

            byte[] head = HeaderOf(delivery, lease);
            byte[] message = new byte[head.Length + large.Length];
            head.CopyTo(message, 0);
            for (int at = 0; at < large.Length;)
            {
                at += await large.ReadAsync(at, message.AsMemory(head.Length + at), CancellationToken.None);
            }

            return message;
        }
        finally
        {
            lease.Large?.Dispose();
            lease.Dispose();
        }
    }

    private byte[] HeaderOf(in Delivery delivery, in MessageLease lease)
    {
        Span<byte> header = stackalloc byte[AmqpMessageMap.HeaderBytesMax];
        int bytes = AmqpMessageMap.WriteHeader(header, lease.Header, delivery.DeliveryCount, port.NowMs);
        return header[..bytes].ToArray();
    }

    private byte[] Compose(in Delivery delivery, in MessageLease lease) =>
        [.. HeaderOf(delivery, lease), .. lease.Payload.Span];

    private void HandOn(in Delivery delivery, byte[] drawn)
    {
        byte[] message = Dress(drawn);
        RoutedHead.Scan(message, out RoutedHead head);
        RouterNotes notes = head.AnnotationsMap > 0
            ? RouterNotes.Read(message.AsSpan(head.AnnotationsMap, head.BareOffset - head.AnnotationsMap))
            : default;
        Choose(head.Priority);
        if (_choices.Count == 0)
        {
            _toGrant++;
            Settle(delivery, Outcome.Released);
            return;
        }

        _outstanding++;
        _tally!.OnFromContainer();
        RoutedCopies? copies = _choices.Count > 1 ? new RoutedCopies { Left = _choices.Count } : null;
        foreach (RouteChoice choice in _choices)
        {
            _tally.OnChosen(choice.Outlet!);
            var copy = new DrawnDelivery { Source = this, Drawn = delivery };
            copy.Begin(choice, message.Length + RoutedBytes.SectionBytesMax + _stamp.Entries.Length);
            copy.Copies = copies;
            copy.IsWhole = true;
            copy.Length = choice.Outlet!.TakesStamps
                ? RoutedBytes.Write(message, head, notes, _stamp, copy.Block)
                : Keep(message, copy.Block);
            port.Traffic.Post(choice.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Delivery, copy)
            {
                Generation = copy.Generation,
            });
        }
    }

    private static int Keep(byte[] message, byte[] into)
    {
        message.CopyTo(into, 0);
        return message.Length;
    }

    private void Choose(int priority)
    {
        _choices.Clear();
        var query = new RouteQuery { Priority = _route!.Priority ?? priority };
        if (_route.IsMulticast)
        {
            _route.ChooseAll(query, _choices);
        }
        else if (_route.Choose(query) is { Outlet: not null } choice)
        {
            _choices.Add(choice);
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
