namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeCluster, API key 60.</summary>
[KafkaMessage(ApiKey.DescribeCluster, "0-2", "0+")]
internal sealed partial class DescribeClusterRequest
{
    [Field("0+")] public bool IncludeClusterAuthorizedOperations { get; set; }
    [Field("1+")] public sbyte EndpointType { get; set; } = 1;
    [Field("2+")] public bool IncludeFencedBrokers { get; set; }
}

/// <summary>The answer of DescribeCluster, API key 60.</summary>
[KafkaMessage(ApiKey.DescribeCluster, "0-2", "0+")]
internal sealed partial class DescribeClusterResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("1+")] public sbyte EndpointType { get; set; } = 1;
    [Field("0+")] public string ClusterId { get; set; } = "";
    [Field("0+")] public int ControllerId { get; set; } = -1;
    [Field("0+")] public DescribeClusterBroker[] Brokers { get; set; } = [];
    [Field("0+")] public int ClusterAuthorizedOperations { get; set; } = -2147483648;

    public sealed partial class DescribeClusterBroker
    {
        [Field("0+")] public int BrokerId { get; set; }
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public int Port { get; set; }
        [Field("0+", Nullable = "0+")] public string? Rack { get; set; }
        [Field("2+")] public bool IsFenced { get; set; }
    }
}
