using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DeleteShareGroupOffsetsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DeleteShareGroupOffsetsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DeleteShareGroupOffsets: a share group that nobody is in forgets where it was in topics.</summary>
internal static class DeleteShareGroupOffsetsApi
{
    public static async ValueTask<DeleteShareGroupOffsetsResponse?> HandleAsync(
        ApiCall call, DeleteShareGroupOffsetsRequest request)
    {
        KafkaSession session = call.Session;
        ErrorCode error = await ShareGroupOffsets.CheckIdleAsync(session, request.GroupId);
        if (error != ErrorCode.None)
        {
            return new DeleteShareGroupOffsetsResponse { ErrorCode = (short)error };
        }

        var topics = new List<DeleteShareGroupOffsetsResponseTopic>();
        foreach (DeleteShareGroupOffsetsRequestTopic topic in request.Topics)
        {
            topics.Add(await ForgetAsync(session, request.GroupId, topic.TopicName));
        }

        return new DeleteShareGroupOffsetsResponse { Responses = [.. topics] };
    }

    private static async ValueTask<DeleteShareGroupOffsetsResponseTopic> ForgetAsync(
        KafkaSession session, string group, string topic)
    {
        ErrorCode error = session.Find(
            topic, Guid.Empty, Broker.Security.Permission.Consume, out RecordStream? stream);
        if (error == ErrorCode.None)
        {
            Guid id = stream!.Id;
            PlainResult result = await session.AskAsync<PlainResult>((all, done) =>
                all.Shares.Forget(key => key.GroupId == group && key.Partition.TopicId == id, done));
            error = (ErrorCode)result.Error.Code();
        }

        return new() { TopicName = topic, TopicId = stream?.Id ?? Guid.Empty, ErrorCode = (short)error };
    }
}
