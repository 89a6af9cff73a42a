using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Security;
using Pillarbox.Model;

namespace Pillarbox.Broker.Consumers;

/// <summary>One client's way of publishing to one address (or, without address, to the address of each message). Owned
/// by its connection.</summary>
public sealed class Producer
{
    private ProducerMemory? _memory;
    private long _number;

    internal Producer(BrokerClient client, ProducerOptions options, Grant grant)
    {
        Client = client;
        Options = options;
        Grant = grant;
        PublisherHash = options.OnBehalfOf is { } other
            ? BrokerClient.PublisherHashOf(other.ClientId)
            : client.PublisherHash;
    }

    /// <summary>What was asked for.</summary>
    public ProducerOptions Options { get; }

    /// <summary>The protocol's own object for it (the link); the core never looks at it.</summary>
    public object? Tag { get; set; }

    /// <summary>Without an address of its own: the routing type that the next message's address asks for; null: what
    /// the address has, else what its settings say.</summary>
    public RoutingType? RelayRoutingType { get; set; }

    /// <summary>What it publishes to streams says whose it is (<see cref="MessageLease.Publisher"/>), so that the
    /// client can leave it out when it reads it; else records say nothing of it.</summary>
    public bool SignsRecords { get; set; }

    /// <summary>Who numbered the next message, and its number: both are remembered with it when the journal keeps it.
    /// </summary>
    public void NumberNext(ProducerMemory memory, long number) => (_memory, _number) = (memory, number);

    /// <summary>The number of the message that is published now; it counts once.</summary>
    internal (ProducerMemory? Memory, long Number) TakeNumber()
    {
        (ProducerMemory? memory, long number) = (_memory, _number);
        _memory = null;
        return (memory, number);
    }

    /// <summary>The routing type asked for, which only queues of that type fulfil.</summary>
    internal RoutingType? RoutingType => Options.Address is null ? RelayRoutingType : Options.RoutingType;

    internal BrokerClient Client { get; }

    /// <summary>Whose messages they are, see <see cref="BrokerClient.PublisherHash"/>.</summary>
    internal ulong PublisherHash { get; }

    internal Grant Grant { get; }

    /// <summary>Where it publishes; null: each message says.</summary>
    internal AddressNode? Node { get; set; }

    /// <summary>Just this queue of the address.</summary>
    internal Queue? Queue { get; set; }

    /// <summary>Just this partition of the address's stream.</summary>
    internal int? Partition { get; set; }

    /// <summary>Credit given and not used.</summary>
    internal int Granted { get; set; }

    /// <summary>Published and not complete.</summary>
    internal int Outstanding { get; set; }

    /// <summary>Waits for more credit.</summary>
    internal bool CreditDue { get; set; }

    internal bool IsClosed { get; set; }

    /// <summary>Counts publishes, to take turns among anycast queues.</summary>
    internal int Turn { get; set; }
}
