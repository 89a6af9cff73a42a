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
    /// may also send one twice on the new connection: what was under way, and what it kept of it. One that is taken is
    /// told by <see cref="OnTaken"/>.
    /// </summary>
    public bool IsRepeated(ProducerEndpoint producer, Message message)
    {
        if (!traits.IsReconnect || !message.Persistent || producer.Memory is not { } memory)
        {
            return false;
        }

        long number = message.MessageId!.ProducerSequence;
        return memory.Has(number) || number <= producer.LastNumber;
    }

    /// <summary>The broker has it, or is getting it: when it comes again it is repeated. One that was refused is
    /// none: it would be lost.</summary>
    public void OnTaken(ProducerEndpoint producer, Message message)
    {
        if (traits.IsReconnect && message is { Persistent: true, TransactionId: null })
        {
            producer.LastNumber = Math.Max(producer.LastNumber, message.MessageId!.ProducerSequence);
        }
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

        if (name.Destination.IsTemporary && !IsThere(name))
        {
            throw DestinationName.Invalid($"the temporary destination {name.Destination.PhysicalName} is gone");
        }
    }

    // Of a temporary topic there is nothing in the broker while nobody subscribes; a queue may be another protocol's.
    private bool IsThere(DestinationName name) => client.FindQueue(name.Name.Address) is { Temporary: true }
        || (name.Destination.IsTopic && hub.IsThere(traits.Space, name.Destination));
}
