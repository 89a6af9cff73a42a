using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Consumers;

/// <summary>One client's way of consuming from one queue. The public face is the connection's; its dispatch state is
/// the shard's.</summary>
public sealed class Consumer
{
    internal Consumer(BrokerClient client, ConsumerOptions options, Queue queue)
    {
        Client = client;
        Options = options;
        Queue = queue;
    }

    /// <summary>What was asked for.</summary>
    public ConsumerOptions Options { get; }

    /// <summary>The protocol's own object for it (the link); the core never looks at it.</summary>
    public object? Tag { get; set; }

    internal BrokerClient Client { get; }

    internal Queue Queue { get; }
}
