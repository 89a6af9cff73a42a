namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AlterReplicaLogDirs, API key 34.</summary>
[KafkaMessage(ApiKey.AlterReplicaLogDirs, "0-2", "2+")]
internal sealed partial class AlterReplicaLogDirsRequest
{
    [Field("0+")] public AlterReplicaLogDir[] Dirs { get; set; } = [];

    public sealed partial class AlterReplicaLogDir
    {
        [Field("0+")] public string Path { get; set; } = "";
        [Field("0+")] public AlterReplicaLogDirTopic[] Topics { get; set; } = [];
    }

    public sealed partial class AlterReplicaLogDirTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of AlterReplicaLogDirs, API key 34.</summary>
[KafkaMessage(ApiKey.AlterReplicaLogDirs, "0-2", "2+")]
internal sealed partial class AlterReplicaLogDirsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public AlterReplicaLogDirTopicResult[] Results { get; set; } = [];

    public sealed partial class AlterReplicaLogDirTopicResult
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public AlterReplicaLogDirPartitionResult[] Partitions { get; set; } = [];
    }

    public sealed partial class AlterReplicaLogDirPartitionResult
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
    }
}
