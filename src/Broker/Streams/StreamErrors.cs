using Pillarbox.Storage;

namespace Pillarbox.Broker.Streams;

/// <summary>The disk's errors in the words of streams.</summary>
internal static class StreamErrors
{
    public static StreamError Of(StorageException error) => error switch
    {
        StorageFullException => StreamError.DiskFull,
        StorageBusyException => StreamError.Busy,
        _ => StreamError.StorageFailed,
    };
}
