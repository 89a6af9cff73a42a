using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Addresses;

/// <summary>Queues that read streams for subscriptions: which were made and which ended under the space's lock, for
/// their shards to hear of it when that is free again. One change's.</summary>
internal sealed class ReaderChanges
{
    public List<Queue> Made { get; } = [];

    public List<Queue> Ended { get; } = [];

    /// <summary>Tells the shards.</summary>
    public void Tell()
    {
        foreach (Queue reader in Made)
        {
            reader.Feed!.Begin();
        }

        foreach (Queue reader in Ended)
        {
            reader.Shard.Post(new ShardAction(_ => reader.Delete()));
        }
    }
}
