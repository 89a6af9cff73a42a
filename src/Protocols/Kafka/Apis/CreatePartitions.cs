using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreatePartitionsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreatePartitionsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>CreatePartitions: gives topics more partitions; never fewer.</summary>
internal static class CreatePartitionsApi
{
    private const short FirstVersionOfThrottling = 3;

    public static async ValueTask<CreatePartitionsResponse?> HandleAsync(
        ApiCall call, CreatePartitionsRequest request)
    {
        var results = new CreatePartitionsTopicResult[request.Topics.Length];
        for (int i = 0; i < results.Length; i++)
        {
            CreatePartitionsTopic wanted = request.Topics[i];
            (ErrorCode error, string? message) = await GrowAsync(call, wanted, request.ValidateOnly);
            results[i] = new() { Name = wanted.Name, ErrorCode = (short)error, ErrorMessage = message };
        }

        return new CreatePartitionsResponse { Results = results };
    }

    private static async ValueTask<(ErrorCode Error, string? Message)> GrowAsync(
        ApiCall call, CreatePartitionsTopic wanted, bool validateOnly)
    {
        KafkaSession session = call.Session;
        // The field's programs are given the right to alter the topic, ours that to make it.
        Permission by = session.May(Permission.Manage, wanted.Name) ? Permission.Manage : Permission.CreateAddress;
        ErrorCode error = session.Find(wanted.Name, Guid.Empty, by, out RecordStream? stream);
        if (error != ErrorCode.None)
        {
            return (error, null);
        }

        if (stream!.IsInternal)
        {
            return (ErrorCode.InvalidTopicException, "the node's own topics have the partitions that they have");
        }

        int more = wanted.Count - stream.Partitions.Count;
        if (more <= 0)
        {
            return (ErrorCode.InvalidPartitions, $"the topic has {stream.Partitions.Count} partitions already");
        }

        if (wanted.Count > StreamCatalog.PartitionsMax)
        {
            return (ErrorCode.InvalidPartitions, $"a topic has {StreamCatalog.PartitionsMax} partitions at most");
        }

        if (wanted.Assignments is { Length: > 0 } given
            && (given.Length != more || given.Any(a => a.BrokerIds is not [var id] || id != session.NodeId)))
        {
            return (ErrorCode.InvalidReplicaAssignment, $"each new partition is on node {session.NodeId} alone");
        }

        if (validateOnly)
        {
            return (ErrorCode.None, null);
        }

        if (!session.Throttle.TryMutate(call, more, call.Version >= FirstVersionOfThrottling))
        {
            return (ErrorCode.ThrottlingQuotaExceeded, null);
        }

        Grant grant = session.GrantOf(by, wanted.Name);
        CatalogResult grown = session.Streams.SetPartitionCount(grant, stream, wanted.Count);
        return (await session.WhenDurableAsync(grown), grown.Message);
    }
}
