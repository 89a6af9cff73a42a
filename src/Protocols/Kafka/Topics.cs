using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>From the names and ids in requests to streams and partitions, with the checks that every API
/// makes.</summary>
internal static class Topics
{
    /// <summary>Whether the client may know of the topic.</summary>
    public static bool MaySee(this KafkaSession session, string topic) => session.TopicAccess.MaySee(topic);

    /// <summary>Waits until a change to the catalog is on disk.</summary>
    public static async ValueTask<ErrorCode> WhenDurableAsync(this KafkaSession session, CatalogResult result)
    {
        if (result.Error != StreamError.None)
        {
            return ErrorCodes.Of(result.Error);
        }

        var wait = new DurableWait();
        session.Streams.WhenDurable(result.DurableAt, wait);
        return await wait.Task ? ErrorCode.None : ErrorCode.KafkaStorageError;
    }

    /// <summary>The stream of a name, if the client may know of it: to ask where a topic's records begin and end, the
    /// field's programs need no more.</summary>
    public static ErrorCode FindSeen(this KafkaSession session, string name, out RecordStream? stream)
    {
        stream = session.MaySee(name) ? session.Streams.Find(name) : null;
        return stream is not null ? ErrorCode.None
            : session.MaySee(name) ? ErrorCode.UnknownTopicOrPartition
            : ErrorCode.TopicAuthorizationFailed;
    }

    /// <summary>The stream by its id where the version has ids, else by its name, if the client may do this to it.
    /// </summary>
    public static ErrorCode Find(
        this KafkaSession session, string name, Guid id, Permission permission, out RecordStream? stream)
    {
        bool byId = id != Guid.Empty;
        stream = byId ? session.Streams.Find(id) : session.Streams.Find(name);
        if (!byId && !session.May(permission, name))
        {
            stream = null;
            return ErrorCode.TopicAuthorizationFailed;
        }

        if (stream is null)
        {
            return byId ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;
        }

        if (byId && !session.May(permission, stream.Name))
        {
            stream = null;
            return ErrorCode.TopicAuthorizationFailed;
        }

        return ErrorCode.None;
    }
}
