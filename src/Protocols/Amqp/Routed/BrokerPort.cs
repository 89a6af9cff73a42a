using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed.Drawing;
using Pillarbox.Protocols.Amqp.Routed.Reading;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// The node's own broker as a place of the network: its queues, topics and streams can be sent to, and drawn from, from
/// every node by their names. One loop owns it all, like a connection without a peer: whoever hands something over
/// wakes
/// it, and it runs on a thread of the pool until nothing is left.
/// </summary>
internal sealed class BrokerPort : PoolLoop, IClientEvents, IDisposable
{
    private const int RoundsPerRun = 8;
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly AmqpEnvironment _environment;
    private readonly Dictionary<AddressDescription, BrokerPlace> _places = [];
    private readonly Dictionary<ulong, RoutedDelivery> _published = [];
    private readonly StreamReaders _readers = new();
    private long _knownVersion = -1;
    private ulong _lastTag;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isOver;
    private volatile bool _isWaitedFor;

    public BrokerPort(AmqpEnvironment environment)
        : base(environment.OwnThreads)
    {
        _environment = environment;
        Traffic = new RoutedTraffic(trunk: static () => null, this);
        Client = environment.Broker.Connect(
            new ClientInfo { Identity = Identity.Node, ClientId = "$network", Protocol = "network" }, this);
    }

    public RoutedTraffic Traffic { get; }

    public BrokerClient Client { get; }

    public INetwork Network => _environment.Network!;

    public AmqpOptions Options => _environment.Options;

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long NowMs => _environment.UnixMs;

    public IRandom Random => _environment.Random;

    /// <summary>Readings of streams by readers of other nodes.</summary>
    public StreamReaders Readers => _readers;

    /// <summary>Milliseconds of a clock that never jumps.</summary>
    public long SteadyMs => _environment.SteadyMs;

    /// <summary>The clock ticked: looks whether the broker has got something, or lost it. Any thread.</summary>
    public void Tick()
    {
        if (!_isOver
            && (_isWaitedFor || Client.PlacesVersion != Volatile.Read(ref _knownVersion)
                || _readers.IsDue(SteadyMs)))
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        Wake();
        _ended.Task.Wait(EndTimeout);
    }

    /// <summary>Publishes a message that came through the network; the delivery is accepted once it is on
    /// disk.</summary>
    public void Publish(Producer producer, RoutedDelivery delivery, ReadOnlyMemory<byte> message)
    {
        IncomingMessage read = AmqpMessageMap.Read(message.Span, NowMs);
        var payload = new System.Buffers.ReadOnlySequence<byte>(message[read.PayloadOffset..]);
        Client.Publish(producer, read.Header, payload, TagOf(delivery));
    }

    /// <summary>A tag for a publish that ends a delivery.</summary>
    public ulong TagOf(RoutedDelivery delivery)
    {
        ulong tag = ++_lastTag;
        _published.Add(tag, delivery);
        return tag;
    }

    /// <summary>Ends a delivery with an outcome.</summary>
    public void Conclude(RoutedDelivery delivery, byte[] state)
    {
        delivery.FreeRented();
        Traffic.Touch(delivery.Conclude(state));
    }

    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery) => ((BrokerSource)delivery.Consumer.Tag!).OnDelivery(delivery);

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
        if (_published.Remove(tag, out RoutedDelivery? delivery))
        {
            Conclude(delivery, error is null
                ? RoutedState.Accepted
                : RoutedState.Rejected(BrokerErrors.ConditionOf(error.Error), error.Message));
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit) =>
        ((BrokerOutlet)producer.Tag!).OnCredit(credit);

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit) =>
        ((BrokerSource)consumer.Tag!).OnDrained(unusedCredit);

    /// <inheritdoc/>
    void IClientEvents.OnSettled(ulong tag)
    {
    }

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
    }

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason) =>
        ((BrokerSource)consumer.Tag!).OnClosed(reason);

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason) =>
        ((BrokerOutlet)producer.Tag!).OnClosed();

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason)
    {
        _isOver = true;
        Wake();
    }

    /// <inheritdoc/>
    protected override void OnFault(Exception fault) => Log.OwnFault(_environment.Logger, fault, "network");

    /// <inheritdoc/>
    protected override void Run()
    {
        if (_isOver)
        {
            End();
            return;
        }

        long version = Client.PlacesVersion;
        if (version != _knownVersion)
        {
            Volatile.Write(ref _knownVersion, version);
            Look();
        }

        _readers.Look(SteadyMs);
        Pass();
    }

    private void Pass()
    {
        for (int round = 0; round < RoundsPerRun; round++)
        {
            Traffic.Drain();
            Client.Flush();
            Client.DrainInbox(this);
            bool isWaitedFor = false;
            foreach (BrokerPlace place in _places.Values)
            {
                place.Outlet.Look();
                place.Door.Look();
                isWaitedFor |= place.Door.IsWaiting;
                place.Source.Pump();
            }

            _readers.Pump();
            Client.Flush();
            Traffic.WakeOthers();
            _isWaitedFor = isWaitedFor;
            if (!Traffic.HasEvents && !Client.HasEvents)
            {
                return;
            }
        }

        Wake();
    }

    // What is there now, against what was.
    private void Look()
    {
        var now = Client.Places().ToHashSet();
        foreach (AddressDescription gone in _places.Keys.Where(place => !now.Contains(place)).ToArray())
        {
            _places.Remove(gone, out BrokerPlace? place);
            place!.Close();
        }

        foreach (AddressDescription place in now.Where(place => !_places.ContainsKey(place)))
        {
            if (BrokerPlace.Open(this, place) is { } opened)
            {
                _places.Add(place, opened);
            }
        }
    }

    private void End()
    {
        if (_ended.Task.IsCompleted)
        {
            return;
        }

        foreach (BrokerPlace place in _places.Values)
        {
            place.Close();
        }

        _places.Clear();
        Traffic.Close();
        Client.Flush();
        Client.Dispose();
        _ended.SetResult();
    }
}

/// <summary>A queue's address, a topic or a stream of the broker as a place of the network.</summary>
internal sealed class BrokerPlace
{
    private readonly BrokerPort _port;
    private readonly string _address;
    private StreamDoor? _readings;

    private BrokerPlace(BrokerPort port, string address, BrokerOutlet outlet, BrokerSource source, BrokerDoor door)
    {
        _port = port;
        _address = address;
        Outlet = outlet;
        Source = source;
        Door = door;
    }

    /// <summary>What takes others' messages into it.</summary>
    public BrokerOutlet Outlet { get; }

    /// <summary>What draws from it for others.</summary>
    public BrokerSource Source { get; }

    /// <summary>Where other nodes speak to this one of it.</summary>
    public BrokerDoor Door { get; }

    /// <summary>Tells the network of it; null: the network does not want it.</summary>
    public static BrokerPlace? Open(BrokerPort port, AddressDescription place)
    {
        bool isStream = port.Client.IsStream(place.Name);
        bool isMulticast = isStream || !place.Anycast;
        var outlet = new BrokerOutlet(port, place.Name);
        var source = new BrokerSource(port, place.Name, isStream, isMulticast);
        var door = new BrokerDoor(port, source);
        IRoute? route = port.Network.OpenBroker(place.Name, isMulticast, outlet, door, source);
        if (route is null)
        {
            return null;
        }

        source.SetRoute(route);
        return new BrokerPlace(port, place.Name, outlet, source, door)
        {
            _readings = isStream ? StreamDoor.Open(port, place.Name) : null,
        };
    }

    public void Close()
    {
        _readings?.Close();
        _port.Network.CloseBroker(_address, Outlet, Door, Source);
        Door.Close();
        Outlet.OnClosed();
        Source.Close();
    }
}
