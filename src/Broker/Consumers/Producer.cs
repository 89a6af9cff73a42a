using Pillarbox.Broker.Security;

namespace Pillarbox.Broker.Consumers;

/// <summary>One client's way of publishing to one address (or, without address, to the address of each message).
/// Owned by its connection.</summary>
public sealed class Producer
{
    internal Producer(BrokerClient client, ProducerOptions options, Grant grant)
    {
        Client = client;
        Options = options;
        Grant = grant;
    }

    /// <summary>What was asked for.</summary>
    public ProducerOptions Options { get; }

    /// <summary>The protocol's own object for it (the link); the core never looks at it.</summary>
    public object? Tag { get; set; }

    internal BrokerClient Client { get; }

    internal Grant Grant { get; }
}
