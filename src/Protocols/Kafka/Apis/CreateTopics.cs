using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreateTopicsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreateTopicsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>CreateTopics: makes topics; each is answered when it is on disk. One node keeps one replica.</summary>
internal static class CreateTopicsApi
{
    private const short FirstVersionOfThrottling = 6;

    public static async ValueTask<CreateTopicsResponse?> HandleAsync(ApiCall call, CreateTopicsRequest request)
    {
        HashSet<string> twice = request.Topics.Twice(topic => topic.Name);
        var results = new CreatableTopicResult[request.Topics.Length];
        for (int i = 0; i < results.Length; i++)
        {
            CreatableTopic wanted = request.Topics[i];
            results[i] = twice.Contains(wanted.Name)
                ? Refuse(wanted, ErrorCode.InvalidRequest, "the topic is named twice in the request")
                : await CreateAsync(call, wanted, request.ValidateOnly);
        }

        return new CreateTopicsResponse { Topics = results };
    }

    private static async ValueTask<CreatableTopicResult> CreateAsync(
        ApiCall call, CreatableTopic wanted, bool validateOnly)
    {
        KafkaSession session = call.Session;
        if (!session.May(Permission.CreateAddress, wanted.Name))
        {
            return Refuse(wanted, ErrorCode.TopicAuthorizationFailed, null);
        }

        if (Check(wanted, session.Environment.Options.NodeId) is { } fault)
        {
            return Refuse(wanted, fault.Error, fault.Message);
        }

        var spec = new StreamSpec
        {
            Name = wanted.Name,
            Partitions = wanted.Assignments.Length > 0 ? wanted.Assignments.Length : wanted.NumPartitions,
            Config = wanted.Configs.ToDictionary(c => c.Name, c => c.Value!),
        };
        int partitions = spec.Partitions > 0 ? spec.Partitions : session.Streams.PartitionsDefault;
        bool isStrict = call.Version >= FirstVersionOfThrottling;
        if (!validateOnly && !session.Throttle.TryMutate(call, partitions, isStrict))
        {
            return Refuse(wanted, ErrorCode.ThrottlingQuotaExceeded, null);
        }

        CatalogResult made = validateOnly
            ? session.Streams.Check(spec)
            : session.Streams.Create(session.GrantOf(Permission.CreateAddress, wanted.Name), spec);
        if (made.Error != StreamError.None)
        {
            return Refuse(wanted, ErrorCodes.Of(made.Error), made.Message);
        }

        ErrorCode durable = validateOnly ? ErrorCode.None : await session.WhenDurableAsync(made);
        return durable == ErrorCode.None ? Made(session, spec, made.Stream) : Refuse(wanted, durable, null);
    }

    // What this node cannot do, before the catalog looks at the rest.
    private static (ErrorCode Error, string Message)? Check(CreatableTopic wanted, int nodeId)
    {
        if (wanted.Assignments.Length > 0 && (wanted.NumPartitions != -1 || wanted.ReplicationFactor != -1))
        {
            return (ErrorCode.InvalidRequest, "with assignments neither partitions nor replicas are counted");
        }

        if (wanted.Assignments.Length == 0 && wanted.ReplicationFactor is not (1 or -1))
        {
            return (ErrorCode.InvalidReplicationFactor,
                $"replication factor {wanted.ReplicationFactor}: there is one node, which keeps one replica");
        }

        int partitions = wanted.Assignments.Length;
        HashSet<int> assigned =
        [
            .. wanted.Assignments.Where(a => a.BrokerIds is [var id] && id == nodeId).Select(a => a.PartitionIndex)
                .Where(index => index >= 0 && index < partitions),
        ];
        if (assigned.Count != partitions)
        {
            return (ErrorCode.InvalidReplicaAssignment, $"partitions are counted from 0, each on node {nodeId} alone");
        }

        bool repeated = wanted.Configs.Select(c => c.Name).Distinct(StringComparer.Ordinal).Count()
            != wanted.Configs.Length;
        return repeated || wanted.Configs.Any(c => c.Value is null)
            ? (ErrorCode.InvalidConfig, "each setting is given once, with a value")
            : null;
    }

    private static CreatableTopicResult Made(KafkaSession session, StreamSpec spec, RecordStream? stream)
    {
        int partitions = spec.Partitions > 0 ? spec.Partitions : session.Streams.PartitionsDefault;
        StreamConfig? config = stream?.Config ?? StreamConfig.TryMake(spec.Config, out _);
        return new()
        {
            Name = spec.Name,
            TopicId = stream?.Id ?? Guid.Empty,
            NumPartitions = stream?.Partitions.Count ?? partitions,
            ReplicationFactor = 1,
            Configs = config is null ? [] :
            [
                .. StreamSetting.All.Values.OrderBy(s => s.Name, StringComparer.Ordinal)
                    .Select(setting => new CreatableTopicConfigs
                    {
                        Name = setting.Name,
                        Value = config.ValueOf(setting.Name),
                        ConfigSource = ConfigResources.SourceOf(config, setting),
                    }),
            ],
        };
    }

    private static CreatableTopicResult Refuse(CreatableTopic wanted, ErrorCode error, string? message) =>
        new() { Name = wanted.Name, ErrorCode = (short)error, ErrorMessage = message };
}
