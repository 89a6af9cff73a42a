using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Consumers;

/// <summary>One client's way of consuming from one queue. The public face is the connection's; its dispatch state is
/// the shard's.</summary>
public sealed class Consumer
{
    /// <summary>Null as client: it only stands for what a prepared branch held before the node's restart.</summary>
    internal Consumer(BrokerClient? client, ConsumerOptions options, Queue queue)
    {
        Client = client!;
        Options = options;
        Queue = queue;
    }

    /// <summary>What was asked for.</summary>
    public ConsumerOptions Options { get; }

    /// <summary>The protocol's own object for it (the link); the core never looks at it.</summary>
    public object? Tag { get; set; }

    internal BrokerClient Client { get; }

    internal Queue Queue { get; }

    /// <summary>Who it is, for what is noted on messages.</summary>
    internal string ClientId => Client?.Info.ClientId ?? "(before the restart)";

    /// <summary>Unique in the broker, above 0.</summary>
    internal int Number { get; init; }

    /// <summary>Set by the connection when it closed the consumer: late deliveries are not told.</summary>
    internal bool IsClosed { get; set; }

    // ---- the shard's ------------------------------------------------------------------------------------------------

    /// <summary>Only looks.</summary>
    internal bool Browses => Options.Browse || Queue.Config.NonDestructive;

    /// <summary>Further deliveries that it takes.</summary>
    internal long Credit { get; set; }

    /// <summary>In its group's list of those that have turns.</summary>
    internal bool IsWaiting { get; set; }

    internal uint LastStamp { get; set; }

    internal long DeliveredTotal { get; set; }

    internal HeldDeliveries Held { get; } = new();

    /// <summary>Its choice among the messages, with cursors of its own; null: it takes what comes.</summary>
    internal ConsumerFilter? Filter { get; set; }

    /// <summary>What waits for it because it has its group; null: nothing.</summary>
    internal ParkedEntries? Parked { get; set; }

    /// <summary>What its own cursors passed because others have its group; null: nothing.</summary>
    internal ParkedEntries? PassedOver { get; set; }

    /// <summary>It wants its credit back when nothing more can be delivered.</summary>
    internal bool DrainRequested { get; set; }

    /// <summary>The shard has closed it.</summary>
    internal bool IsGone { get; set; }
}
