using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// Metadata: which topics there are, and that this node leads all their partitions. A topic that is asked for by name
/// is made when it is missing and both the client and the node want that.
/// </summary>
internal static class MetadataApi
{
    public static async ValueTask<MetadataResponse?> HandleAsync(ApiCall call, MetadataRequest request)
    {
        KafkaSession session = call.Session;
        KafkaOptions options = session.Environment.Options;
        return new MetadataResponse
        {
            Brokers =
            [
                new() { NodeId = options.NodeId, Host = session.Peer.Host, Port = session.Peer.Port },
            ],
            ClusterId = options.ClusterId,
            ControllerId = options.NodeId,
            Topics = await TopicsAsync(call, request),
            ClusterAuthorizedOperations = request.IncludeClusterAuthorizedOperations
                ? AuthorizedOperations.OfCluster(session)
                : int.MinValue,
        };
    }

    private static async ValueTask<MetadataResponse.MetadataResponseTopic[]> TopicsAsync(
        ApiCall call, MetadataRequest request)
    {
        KafkaSession session = call.Session;
        if (request.Topics is null || (call.Version == 0 && request.Topics.Length == 0))
        {
            return
            [
                .. session.Streams.All.Where(s => session.MaySee(s.Name)).OrderBy(s => s.Name, StringComparer.Ordinal)
                    .Select(s => Describe(session, s, request)),
            ];
        }

        MetadataRequest.MetadataRequestTopic[] wanted = request.Topics.OnceBy(topic => (topic.Name, topic.TopicId));
        var described = new MetadataResponse.MetadataResponseTopic[wanted.Length];
        for (int i = 0; i < described.Length; i++)
        {
            described[i] = await TopicAsync(session, wanted[i], request);
        }

        return described;
    }

    private static async ValueTask<MetadataResponse.MetadataResponseTopic> TopicAsync(
        KafkaSession session, MetadataRequest.MetadataRequestTopic wanted, MetadataRequest request)
    {
        string? name = wanted.Name;
        RecordStream? stream = name is null ? session.Streams.Find(wanted.TopicId) : session.Streams.Find(name);
        bool maySee = session.MaySee(stream?.Name ?? name ?? "");
        if (stream is not null && maySee)
        {
            return Describe(session, stream, request);
        }

        ErrorCode error = name is null ? ErrorCode.UnknownTopicId
            : !maySee ? ErrorCode.TopicAuthorizationFailed
            : request.AllowAutoTopicCreation ? await CreateAsync(session, name)
            : Missing(name);
        return error == ErrorCode.None && session.Streams.Find(name!) is { } made
            ? Describe(session, made, request)
            : new() { ErrorCode = (short)error, Name = name, TopicId = wanted.TopicId };
    }

    private static async ValueTask<ErrorCode> CreateAsync(KafkaSession session, string name)
    {
        KafkaOptions options = session.Environment.Options;
        if (!options.AutoCreateTopics)
        {
            return Missing(name);
        }

        if (!session.May(Permission.CreateAddress, name))
        {
            return ErrorCode.TopicAuthorizationFailed;
        }

        if (StreamCatalog.IsOwn(name))
        {
            return MakeOwn(session, name);
        }

        var spec = new StreamSpec { Name = name, Partitions = options.AutoCreatePartitions };
        CatalogResult made = session.Streams.Create(session.GrantOf(Permission.CreateAddress, name), spec);
        return made.Error == StreamError.AlreadyExists
            ? ErrorCode.None
            : await session.WhenDurableAsync(made);
    }

    // Monitors of groups look at these before there is any group.
    private static ErrorCode MakeOwn(KafkaSession session, string name)
    {
        StreamCoordinators coordinators = session.Coordinators;
        if (name == StreamCoordinators.ShareStream)
        {
            _ = coordinators.Shares;
        }

        return session.Streams.Find(name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.None;
    }

    // Who waits for a topic waits in vain for one that nobody can make.
    private static ErrorCode Missing(string name) =>
        StreamCatalog.CheckName(name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException;

    private static MetadataResponse.MetadataResponseTopic Describe(
        KafkaSession session, RecordStream stream, MetadataRequest request)
    {
        int[] self = [session.Environment.Options.NodeId];
        return new()
        {
            Name = stream.Name,
            TopicId = stream.Id,
            IsInternal = stream.IsInternal,
            Partitions =
            [
                .. stream.Partitions.Select(partition => new MetadataResponse.MetadataResponsePartition
                {
                    PartitionIndex = partition.Number,
                    LeaderId = self[0],
                    LeaderEpoch = partition.LeaderEpoch,
                    ReplicaNodes = self,
                    IsrNodes = self,
                }),
            ],
            TopicAuthorizedOperations = request.IncludeTopicAuthorizedOperations
                ? AuthorizedOperations.OfTopic(session, stream.Name)
                : int.MinValue,
        };
    }
}
