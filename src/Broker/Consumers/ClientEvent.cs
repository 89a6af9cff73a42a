namespace Pillarbox.Broker.Consumers;

/// <summary>What came back for a client.</summary>
internal enum EventKind : byte
{
    /// <summary>Delivery.</summary>
    Delivery,

    /// <summary>Subject = consumer, Number = unused credit.</summary>
    Drained,

    /// <summary>Number = journal position that must be durable first; Tag.</summary>
    Settled,

    /// <summary>Subject = consumer, Error.</summary>
    ConsumerClosed,

    /// <summary>Subject = consumer: what it named, and could have, was delivered.</summary>
    Reclaimed,

    /// <summary>Subject = producer, Error.</summary>
    ProducerClosed,

    /// <summary>Subject = watch, Name = queue.</summary>
    QueueMade,

    /// <summary>Subject = watch, Name, Number = routing type.</summary>
    NameMade,

    /// <summary>The same.</summary>
    NameGone,

    /// <summary>Error.</summary>
    CloseRequested,
}

/// <summary>One thing that came back for a client; which fields count is said at <see cref="EventKind"/>.</summary>
internal struct ClientEvent
{
    public EventKind Kind;
    public long Number;
    public ulong Tag;
    public object? Subject;
    public string? Name;
    public BrokerException? Error;
    public Delivery Delivery;
}
