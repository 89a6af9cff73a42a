using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>One of the broker's producers, with the credit that it gave.</summary>
internal sealed class Outlet(Producer producer)
{
    public Producer Producer { get; } = producer;

    /// <summary>Messages that the broker still takes; not above 0: input waits.</summary>
    public int Credit { get; set; }
}

/// <summary>A producer of the client.</summary>
internal sealed class ProducerEndpoint(ProducerInfo info)
{
    /// <summary>What the client has said of it.</summary>
    public ProducerInfo Info { get; } = info;

    public ProducerId Id { get; } = info.ProducerId!;

    /// <summary>Whether the client counts bytes, and waits for a ProducerAck.</summary>
    public bool HasWindow { get; } = info.WindowSize > 0;

    /// <summary>The way to its own destination; null: each message goes by the connection's relay.</summary>
    public Outlet? Own { get; init; }

    /// <summary>The destination of <see cref="Own"/>.</summary>
    public Destination? Destination { get; init; }

    /// <summary>What the node knows of its messages, for when it sends them again; null: it will not.</summary>
    public ProducerMemory? Memory { get; init; }

    /// <summary>The highest number that came on this connection outside of transactions: it may be on its way to the
    /// journal still.</summary>
    public long LastNumber { get; set; } = long.MinValue;

    public IReadOnlyList<AdvisoryFact> Facts { get; init; } = [];
}
