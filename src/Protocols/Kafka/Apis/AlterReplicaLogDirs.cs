using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterReplicaLogDirsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterReplicaLogDirsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AlterReplicaLogDirs: there is one data directory. To move a partition to where it is, is right.</summary>
internal static class AlterReplicaLogDirsApi
{
    public static ValueTask<AlterReplicaLogDirsResponse?> HandleAsync(
        ApiCall call, AlterReplicaLogDirsRequest request)
    {
        var results =
            from dir in request.Dirs
            from topic in dir.Topics
            select new AlterReplicaLogDirTopicResult
            {
                TopicName = topic.Name,
                Partitions = Array.ConvertAll(topic.Partitions, p => new AlterReplicaLogDirPartitionResult
                {
                    PartitionIndex = p,
                    ErrorCode = (short)Check(call.Session, dir, topic.Name, p),
                }),
            };
        return new(new AlterReplicaLogDirsResponse { Results = [.. results] });
    }

    private static ErrorCode Check(KafkaSession session, AlterReplicaLogDir dir, string topic, int partition) =>
        !session.MayOnCluster(Permission.Manage) ? ErrorCode.ClusterAuthorizationFailed
        : session.Streams.Find(topic)?.FindPartition(partition) is null ? ErrorCode.UnknownTopicOrPartition
        : dir.Path != session.Environment.Options.DataDirectory ? ErrorCode.LogDirNotFound
        : ErrorCode.None;
}
