namespace Pillarbox.Broker.Streams;

/// <summary>A producer as a partition knows it.</summary>
/// <param name="ProducerId">Its id.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="LastSequence">Sequence of its last record; -1 when not known.</param>
/// <param name="LastTimestampMs">Timestamp of its last batch, in milliseconds since the Unix epoch.</param>
/// <param name="CoordinatorEpoch">Epoch of the coordinator of its last transaction; -1 when there was none.</param>
/// <param name="TransactionStart">First offset of its open transaction; -1 when none is open.</param>
public sealed record ProducerView(
    long ProducerId, short Epoch, int LastSequence, long LastTimestampMs, int CoordinatorEpoch, long TransactionStart);
