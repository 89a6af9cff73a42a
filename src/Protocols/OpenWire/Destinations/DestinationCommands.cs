using Pillarbox.Broker;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Destinations;

/// <summary>Destinations that a connection makes and removes; it keeps its temporary ones. Used by the connection's
/// loop alone.</summary>
internal sealed class DestinationCommands(
    BrokerClient client, ClientTraits traits, ConnectionFacts facts, OpenWireOptions options)
{
    private readonly Dictionary<Destination, AdvisoryFact> _temporaries = [];

    /// <summary>Whether a temporary destination is the connection's own.</summary>
    public bool IsOwn(Destination temporary) => _temporaries.ContainsKey(temporary);

    /// <summary>Makes or removes a destination.</summary>
    /// <exception cref="OpenWireException">It is none, or one too many, or another connection's.</exception>
    /// <exception cref="BrokerException">It may not be made, or not be removed, or is in use.</exception>
    public void Perform(DestinationInfo info)
    {
        Destination destination = info.Destination
            ?? throw new OpenWireException("a DestinationInfo without destination");
        DestinationName name = DestinationName.Parse(destination);
        if (info.Operation == DestinationInfo.Remove)
        {
            Remove(destination, name);
        }
        else if (destination.IsTemporary)
        {
            AddTemporary(destination, name);
        }
        else if (destination.Kind == DataType.Queue && !name.IsWildcard)
        {
            client.ResolveQueue(name.Name, name.RoutingType);
        }
    }

    /// <summary>The client has closed its connection: what was temporary goes.</summary>
    public void RemoveTemporaries()
    {
        foreach (Destination destination in _temporaries.Keys)
        {
            DeleteTemporary(destination);
        }

        _temporaries.Clear();
    }

    private void AddTemporary(Destination destination, DestinationName name)
    {
        if (_temporaries.ContainsKey(destination))
        {
            return;
        }

        if (_temporaries.Count >= options.TemporariesMax)
        {
            throw OpenWireException.TooMany("temporary destinations", options.TemporariesMax);
        }

        if (!destination.IsTopic)
        {
            client.CreateQueue(new QueueConfig
            {
                Name = name.Name.Address,
                Address = name.Name.Address,
                RoutingType = RoutingType.Anycast,
                Durable = false,
                Temporary = true,
                AutoCreated = true,
            });
        }

        AdvisoryFact fact = AdvisoryTopics.Temporary(traits.Space, traits.Connection, destination, traits.Inbox);
        _temporaries[destination] = fact;
        facts.Tell(fact);
    }

    private void Remove(Destination destination, DestinationName name)
    {
        if (_temporaries.Remove(destination, out AdvisoryFact? fact))
        {
            facts.Untell([fact]);
            DeleteTemporary(destination);
        }
        else if (destination.IsTemporary)
        {
            throw DestinationName.Invalid($"{destination.PhysicalName} is not this connection's");
        }
        else if (!destination.IsTopic)
        {
            // A topic is nothing that is kept: what there is of it are its subscriptions.
            client.DeleteQueue(name.Name.Queue ?? name.Name.Address, ifUnused: true);
        }
    }

    private void DeleteTemporary(Destination destination)
    {
        try
        {
            if (!destination.IsTopic)
            {
                client.DeleteQueue(destination.PhysicalName!, ifUnused: false);
            }
        }
        catch (BrokerException)
        {
            // An operator was quicker.
        }
    }
}
