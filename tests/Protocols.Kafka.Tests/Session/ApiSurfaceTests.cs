using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>
/// Every API that a common client must or should have, with all versions that librdkafka, kafkajs, kafka-python, the
/// Java clients and tools, Streams, Connect and MirrorMaker send: from the first one, for old clients send that.
/// </summary>
public sealed class ApiSurfaceTests
{
    private static readonly (ApiKey Key, short Last)[] Wanted =
    [
        (ApiKey.Produce, 13), (ApiKey.Fetch, 18), (ApiKey.ListOffsets, 11), (ApiKey.Metadata, 13),
        (ApiKey.OffsetCommit, 10), (ApiKey.OffsetFetch, 10), (ApiKey.FindCoordinator, 6), (ApiKey.JoinGroup, 9),
        (ApiKey.Heartbeat, 4), (ApiKey.LeaveGroup, 5), (ApiKey.SyncGroup, 5), (ApiKey.DescribeGroups, 6),
        (ApiKey.ListGroups, 5), (ApiKey.SaslHandshake, 1), (ApiKey.ApiVersions, 5), (ApiKey.CreateTopics, 7),
        (ApiKey.DeleteTopics, 6), (ApiKey.DeleteRecords, 2), (ApiKey.InitProducerId, 5),
        (ApiKey.OffsetForLeaderEpoch, 4), (ApiKey.AddPartitionsToTxn, 5), (ApiKey.AddOffsetsToTxn, 4),
        (ApiKey.EndTxn, 5), (ApiKey.TxnOffsetCommit, 5), (ApiKey.DescribeAcls, 3), (ApiKey.CreateAcls, 3),
        (ApiKey.DeleteAcls, 3), (ApiKey.DescribeConfigs, 4), (ApiKey.DescribeLogDirs, 5),
        (ApiKey.SaslAuthenticate, 2), (ApiKey.CreatePartitions, 3), (ApiKey.DeleteGroups, 3),
        (ApiKey.ElectLeaders, 2), (ApiKey.IncrementalAlterConfigs, 1), (ApiKey.AlterPartitionReassignments, 1),
        (ApiKey.ListPartitionReassignments, 0), (ApiKey.OffsetDelete, 0), (ApiKey.DescribeClientQuotas, 1),
        (ApiKey.AlterClientQuotas, 1), (ApiKey.DescribeUserScramCredentials, 0),
        (ApiKey.AlterUserScramCredentials, 0), (ApiKey.DescribeQuorum, 2), (ApiKey.UpdateFeatures, 2),
        (ApiKey.DescribeCluster, 2), (ApiKey.ConsumerGroupHeartbeat, 1), (ApiKey.ConsumerGroupDescribe, 1),
        (ApiKey.ListConfigResources, 1),
    ];

    [Fact]
    public async Task Everything_that_common_clients_need_is_offered_from_the_first_version()
    {
        await using var scene = new KafkaScene();
        ApiVersionsResponse offered = await scene.Connect().AskAsync<ApiVersionsRequest, ApiVersionsResponse>(
            new() { ClientSoftwareName = "test", ClientSoftwareVersion = "1" }, 4);
        Assert.All(Wanted, wanted =>
        {
            ApiVersionsResponse.ApiVersion? api = Array.Find(offered.ApiKeys, k => k.ApiKey == (short)wanted.Key);
            Assert.True(
                api is { MinVersion: 0 } && api.MaxVersion >= wanted.Last,
                $"{wanted.Key} 0-{wanted.Last}: {api?.MinVersion}-{api?.MaxVersion} is offered");
        });
    }

    [Fact]
    public async Task What_only_nodes_of_a_cluster_say_to_each_other_is_not_offered()
    {
        await using var scene = new KafkaScene();
        ApiVersionsResponse offered = await scene.Connect().AskAsync<ApiVersionsRequest, ApiVersionsResponse>(
            new(), 0);
        short[] between = [4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 83, 84, 85, 86, 87];
        Assert.Empty(offered.ApiKeys.Select(k => k.ApiKey).Intersect(between));
    }
}
