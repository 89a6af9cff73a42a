namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeLogDirs, API key 35.</summary>
[KafkaMessage(ApiKey.DescribeLogDirs, "0-5", "2+")]
internal sealed partial class DescribeLogDirsRequest
{
    [Field("0+", Nullable = "0+")] public DescribableLogDirTopic[]? Topics { get; set; } = [];

    public sealed partial class DescribableLogDirTopic
    {
        [Field("0+")] public string Topic { get; set; } = "";
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of DescribeLogDirs, API key 35.</summary>
[KafkaMessage(ApiKey.DescribeLogDirs, "0-5", "2+")]
internal sealed partial class DescribeLogDirsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("3+")] public short ErrorCode { get; set; }
    [Field("0+")] public DescribeLogDirsResult[] Results { get; set; } = [];

    public sealed partial class DescribeLogDirsResult
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+")] public string LogDir { get; set; } = "";
        [Field("0+")] public DescribeLogDirsTopic[] Topics { get; set; } = [];
        [Field("4+")] public long TotalBytes { get; set; } = -1;
        [Field("4+")] public long UsableBytes { get; set; } = -1;
        [Field("5+")] public bool IsCordoned { get; set; }
    }

    public sealed partial class DescribeLogDirsTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public DescribeLogDirsPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class DescribeLogDirsPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public long PartitionSize { get; set; }
        [Field("0+")] public long OffsetLag { get; set; }
        [Field("0+")] public bool IsFutureKey { get; set; }
    }
}
