using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>One message on its way to one destination.</summary>
internal readonly record struct Outgoing(
    Outlet Outlet, Message Message, MessageHeader Header, OpenTransaction? Transaction)
{
    /// <summary>Of a message by the relay: where it goes.</summary>
    public DestinationName? Relayed { get; init; }

    /// <summary>What remembers its number; null: nothing.</summary>
    public ProducerMemory? NumberedBy { get; init; }

    public string? To => Relayed?.Name.ToString();

    /// <summary>What is published next has its number.</summary>
    public void Number()
    {
        if (NumberedBy is not null && Header.Durable)
        {
            Outlet.Producer.NumberNext(NumberedBy, Message.MessageId!.ProducerSequence);
        }
    }
}
