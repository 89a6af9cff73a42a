using Pillarbox.Broker;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>Where a client may send, and which of its messages the node has already.</summary>
internal sealed class SendRules(BrokerClient client, ClientTraits traits, RememberedNames names, AdvisoryHub hub)
{
    /// <summary>The names of a destination that a message is sent to.</summary>
    /// <exception cref="OpenWireException">Nothing can be sent to one of them; the command alone fails.</exception>
    public List<DestinationName> NamesOf(Destination destination)
    {
        List<DestinationName> all = names.Of(destination);
        all.ForEach(Check);
        return all;
    }

    /// <summary>
    /// A client that has lost its connection sends again what was not answered; the node may have it all the same. It
    /// may also send one twice on the new connection: what was under way, and what it kept of it.
    /// </summary>
    public bool IsRepeated(ProducerEndpoint producer, Message message)
    {
        if (!traits.IsReconnect || !message.Persistent || producer.Memory is not { } memory)
        {
            return false;
        }

        long number = message.MessageId!.ProducerSequence;
        if (memory.Has(number) || number <= producer.LastNumber)
        {
            return true;
        }

        producer.LastNumber = message.TransactionId is null ? number : producer.LastNumber;
        return false;
    }

    private void Check(DestinationName name)
    {
        if (name.IsWildcard)
        {
            throw DestinationName.Invalid($"nothing can be sent to the wildcard {name.Destination}");
        }

        if (name.IsAdvisory)
        {
            throw DestinationName.Invalid("advisories are the node's to send");
        }

        // A temporary destination that has gone must not come back as one that stays.
        if (name.Destination.IsTemporary && !hub.IsThere(traits.Space, name.Destination)
            && client.FindQueue(name.Name.Address) is not { Temporary: true })
        {
            throw DestinationName.Invalid($"the temporary destination {name.Destination.PhysicalName} is gone");
        }
    }
}
