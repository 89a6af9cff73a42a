using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;

namespace Pillarbox.Broker.Consumers;

/// <summary>Who connects. Immutable.</summary>
public sealed record ClientInfo
{
    /// <summary>The address space (tenant).</summary>
    public string AddressSpace { get; init; } = "default";

    /// <summary>The user, as the login established it.</summary>
    public required Identity Identity { get; init; }

    /// <summary>The client's own name (AMQP container id, MQTT client id), for views and no-local.</summary>
    public required string ClientId { get; init; }

    /// <summary>The protocol's name, e.g. <c>amqp</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary>The peer's network address, for views.</summary>
    public string RemoteEndPoint { get; init; } = "";
}

/// <summary>What a consumer wants.</summary>
public sealed record ConsumerOptions
{
    /// <summary>The queue's name (unique in the address space).</summary>
    public required string Queue { get; init; }

    /// <summary>A JMS selector (SQL-92 subset), or null for everything.</summary>
    public string? Selector { get; init; }

    /// <summary>Reads a stream instead of a queue; null: <see cref="Queue"/>.</summary>
    public StreamReading? Stream { get; init; }

    /// <summary>Look at messages without consuming them.</summary>
    public bool Browse { get; init; }

    /// <summary>Higher ones get everything while they have credit; default 0.</summary>
    public int Priority { get; init; }

    /// <summary>Refuse to share: attach fails while another consumer is there, and others fail while this one
    /// is.</summary>
    public bool Exclusive { get; init; }

    /// <summary>While it is there it gets all messages of the queue, the others none: of several, the one of the
    /// highest priority, then the one that came first. When it leaves the next one takes over.</summary>
    public bool TakesAll { get; init; }

    /// <summary>Never deliver what this client (same client id) published.</summary>
    public bool NoLocal { get; init; }

    /// <summary>The protocol's name for the link or subscription, for views.</summary>
    public string Name { get; init; } = "";

    /// <summary>The format in which payloads are wanted: those of another one are converted when they are read. None:
    /// as they are.</summary>
    public PayloadFormat Format { get; init; }
}

/// <summary>How a consumer reads a stream.</summary>
public sealed record StreamReading
{
    /// <summary>The stream's name.</summary>
    public required string Stream { get; init; }

    /// <summary>Only this partition; null: all.</summary>
    public int? Partition { get; init; }

    /// <summary>Where it begins; of a group, where nothing is committed.</summary>
    public StreamStart Start { get; init; }

    /// <summary>The consumer group whose offsets count, and among whose members the partitions are shared out; null:
    /// none, and the consumer's place is forgotten with it.</summary>
    public string? Group { get; init; }
}

/// <summary>What a producer wants.</summary>
public sealed record ProducerOptions
{
    /// <summary>The address or <c>address::queue</c>; null: each message names its own (anonymous relay).</summary>
    public string? Address { get; init; }

    /// <summary>The routing type asked for; null: what the address has, else what its settings say.</summary>
    public RoutingType? RoutingType { get; init; }

    /// <summary>A message to an address that is not there makes none: it goes to what is bound by patterns, if
    /// anything.</summary>
    public bool MakesNoAddress { get; init; }

    /// <summary>The messages are another client's, for which the node publishes them: its user's permissions count, and
    /// its name says whose they are. For a producer without an address; null: the client's own.</summary>
    public ClientInfo? OnBehalfOf { get; init; }

    /// <summary>Of a producer to one queue: of a message with a tag, <see cref="IClientEvents.OnSettled"/> tells with
    /// that tag when it has left the queue, whatever took it, and that is on disk. Not after the producer is
    /// closed.</summary>
    public bool TellsGone { get; init; }

    /// <summary>The protocol's name for the link, for views.</summary>
    public string Name { get; init; } = "";
}
