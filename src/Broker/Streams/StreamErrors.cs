using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Streams;

/// <summary>Errors in the words of streams.</summary>
internal static class StreamErrors
{
    public static StreamError Of(StorageException error) => error switch
    {
        StorageFullException => StreamError.DiskFull,
        StorageBusyException => StreamError.Busy,
        _ => StreamError.StorageFailed,
    };

    /// <summary>A sentence for the user.</summary>
    public static string Describe(StreamError error, in RecordBatch batch) => error switch
    {
        StreamError.OutOfOrderSequence =>
            $"the sequence {batch.BaseSequence} of producer {batch.ProducerId} is not the next one",
        StreamError.InvalidProducerEpoch => $"the epoch {batch.ProducerEpoch} of producer {batch.ProducerId} is over",
        StreamError.InvalidTransactionState => $"producer {batch.ProducerId} has a transaction open",
        StreamError.FencedLeaderEpoch or StreamError.UnknownLeaderEpoch => "the leader epoch is another one",
        _ => $"refused: {error}",
    };
}
