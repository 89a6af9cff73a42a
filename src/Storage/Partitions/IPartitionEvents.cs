namespace Pillarbox.Storage.Partitions;

/// <summary>Told when a partition's durable end has moved, on the flusher's thread: do nothing but note and wake.
/// </summary>
public interface IPartitionEvents
{
    /// <summary>Everything below <see cref="PartitionLog.DurableOffset"/> is durable.</summary>
    void OnDurable();

    /// <summary>Nothing more will become durable.</summary>
    void OnFailed(StorageFailedException failure);
}
