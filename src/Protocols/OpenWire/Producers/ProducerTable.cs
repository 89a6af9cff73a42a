using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>
/// The producers of a connection, and the broker's credit for what they send: a producer without a destination of its
/// own sends by the connection's relay. Used by the connection's loop alone.
/// </summary>
internal sealed class ProducerTable(
    BrokerClient client, ClientTraits traits, RememberedNames names, ConnectionFacts facts, OpenWireOptions options)
{
    private readonly Dictionary<ProducerId, ProducerEndpoint> _producers = [];
    private Outlet? _relay;
    private Outlet? _temporaries;
    private Outlet? _heldBy;

    /// <summary>A producer has used up its credit: the broker, or its disk, is behind.</summary>
    public bool IsHeldBack => _heldBy is { Credit: <= 0 };

    /// <summary>The way of messages to destinations that change.</summary>
    public Outlet Relay => _relay ??= OpenOutlet(new ProducerOptions());

    /// <summary>The way of messages to temporary destinations: one that has no subscriber, or goes at this moment, must
    /// not come back as an address that stays.</summary>
    public Outlet TemporaryRelay => _temporaries ??= OpenOutlet(new ProducerOptions { MakesNoAddress = true });

    /// <summary>The producer that a message names.</summary>
    /// <exception cref="OpenWireException">There is none; the command alone fails.</exception>
    public ProducerEndpoint Find(ProducerId? id) =>
        id is not null && _producers.TryGetValue(id, out ProducerEndpoint? producer)
            ? producer
            : throw new OpenWireException(ThrowableNames.IllegalState, $"there is no producer {id}")
            {
                IsCommandOnly = true,
            };

    /// <summary>A producer is made.</summary>
    /// <exception cref="OpenWireException">It is one too many, or its destination cannot be sent to.</exception>
    /// <exception cref="BrokerException">It may not send there.</exception>
    public void Open(ProducerInfo info)
    {
        if (_producers.ContainsKey(info.ProducerId!))
        {
            return;
        }

        if (_producers.Count >= options.ProducersMax)
        {
            throw OpenWireException.TooMany("producers", options.ProducersMax);
        }

        List<DestinationName>? own = info.Destination is null ? null : names.Of(info.Destination);
        if (own is not null && own.Exists(name => name.IsWildcard && !name.IsAdvisory))
        {
            throw DestinationName.Invalid("nothing can be sent to a wildcard");
        }

        bool isPlain = own is { Count: 1 } && !own[0].Destination.IsTemporary && !own[0].IsAdvisory;
        AdvisoryFact[] told =
            [.. (own ?? []).Select(name => AdvisoryTopics.Producer(traits.Space, info, name, traits.Inbox))];
        // Before anything is remembered of it: it may be refused.
        Outlet? outlet = isPlain ? OpenOutlet(OptionsOf(own![0], info.ProducerId!)) : null;
        _producers[info.ProducerId!] = new ProducerEndpoint(info)
        {
            Memory = traits.IsFaultTolerant ? client.RememberProducer(info.ProducerId!.ToString()) : null,
            Own = outlet,
            Destination = isPlain ? info.Destination : null,
            Facts = told,
        };
        Array.ForEach(told, facts.Tell);
    }

    /// <summary>A producer goes; of one that is not there nothing is said.</summary>
    public void Remove(ProducerId id)
    {
        if (!_producers.Remove(id, out ProducerEndpoint? producer))
        {
            return;
        }

        facts.Untell(producer.Facts);
        if (producer.Memory is { } memory)
        {
            client.ForgetProducer(memory);
        }

        if (producer.Own is { } own)
        {
            client.CloseProducer(own.Producer);
            LetGo(own);
        }
    }

    /// <summary>All of a session go.</summary>
    public void RemoveOf(long session)
    {
        foreach (ProducerId producer in _producers.Keys.Where(id => id.Session == session).ToArray())
        {
            Remove(producer);
        }
    }

    /// <summary>One message takes its credit.</summary>
    public void Spend(Outlet outlet)
    {
        outlet.Credit--;
        _heldBy = outlet.Credit <= 0 ? outlet : _heldBy;
    }

    /// <summary>Whether messages go out by the relay here.</summary>
    public bool IsRelay(Outlet outlet) => outlet == _relay || outlet == _temporaries;

    /// <summary>The broker has closed a producer: its address is gone.</summary>
    public void OnClosed(Outlet outlet)
    {
        ProducerEndpoint? endpoint = _producers.Values.FirstOrDefault(one => one.Own == outlet);
        if (endpoint is not null)
        {
            // Its next message goes by the relay, which makes the address anew when the settings allow it.
            _producers[endpoint.Id] = new ProducerEndpoint(endpoint.Info)
            {
                Memory = endpoint.Memory,
                LastNumber = endpoint.LastNumber,
                Facts = endpoint.Facts,
            };
        }

        LetGo(outlet);
    }

    private void LetGo(Outlet outlet) => _heldBy = _heldBy == outlet ? null : _heldBy;

    private static ProducerOptions OptionsOf(DestinationName name, ProducerId id) => new()
    {
        Address = name.Name.ToString(),
        RoutingType = name.RoutingType,
        Name = id.ToString(),
    };

    private Outlet OpenOutlet(ProducerOptions options)
    {
        Producer producer = client.OpenProducer(options);
        var outlet = new Outlet(producer);
        producer.Tag = outlet;
        return outlet;
    }
}
