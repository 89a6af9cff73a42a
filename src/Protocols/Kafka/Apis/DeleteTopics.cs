using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DeleteTopics: by name or, from version 6, by id.</summary>
internal static class DeleteTopicsApi
{
    private const short FirstVersionOfThrottling = 5;
    private const string OwnTopic = "the node's own topics are not to be deleted";

    public static async ValueTask<DeleteTopicsResponse?> HandleAsync(ApiCall call, DeleteTopicsRequest request)
    {
        List<(string? Name, Guid Id)> wanted = call.Version >= 6
            ? [.. request.Topics.Select(t => (t.Name, t.TopicId))]
            : [.. request.TopicNames.Select(n => ((string?)n, Guid.Empty))];
        var results = new List<DeleteTopicsResponse.DeletableTopicResult>();
        foreach ((string? name, Guid id) in wanted)
        {
            results.Add(await DeleteAsync(call, name, id));
        }

        return new DeleteTopicsResponse { Responses = [.. results] };
    }

    private static async ValueTask<DeleteTopicsResponse.DeletableTopicResult> DeleteAsync(
        ApiCall call, string? name, Guid id)
    {
        KafkaSession session = call.Session;
        RecordStream? stream = null;
        ErrorCode error = name is not null && id != Guid.Empty
            ? ErrorCode.InvalidRequest
            : session.Find(name ?? "", id, Permission.DeleteAddress, out stream);
        if (error == ErrorCode.None)
        {
            error = await DeleteAsync(call, stream!);
        }

        // Who may not delete a topic need not learn the name behind its id.
        return new()
        {
            Name = name ?? stream?.Name,
            TopicId = stream?.Id ?? id,
            ErrorCode = (short)error,
            ErrorMessage = stream?.IsInternal == true && error == ErrorCode.InvalidRequest ? OwnTopic : null,
        };
    }

    private static async ValueTask<ErrorCode> DeleteAsync(ApiCall call, RecordStream stream)
    {
        KafkaSession session = call.Session;
        if (stream.IsInternal)
        {
            return ErrorCode.InvalidRequest;
        }

        if (!session.Throttle.TryMutate(call, stream.Partitions.Count, call.Version >= FirstVersionOfThrottling))
        {
            return ErrorCode.ThrottlingQuotaExceeded;
        }

        CatalogResult deleted = session.Streams.Delete(
            session.GrantOf(Permission.DeleteAddress, stream.Name), stream);
        ErrorCode error = await session.WhenDurableAsync(deleted);
        if (error == ErrorCode.None && StreamCoordinators.AreInUse(session.Streams))
        {
            session.Coordinators.Groups.OnTopicDeleted(stream.Name);
        }

        return error;
    }
}
