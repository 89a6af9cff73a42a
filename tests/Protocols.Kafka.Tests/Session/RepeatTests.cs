using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Requests that name the same thing again and again: their answers are no larger than if they named it once,
/// and the work is not more.</summary>
public sealed class RepeatTests
{
    private const int Times = 100_000;

    [Fact]
    public async Task A_topic_is_described_once()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 100);
        MetadataResponse metadata = await peer.AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = Fill(() => new MetadataRequest.MetadataRequestTopic { Name = "t" }) }, 12);
        Assert.Equal(100, Assert.Single(metadata.Topics).Partitions.Length);
        DescribeConfigsResponse configs = await peer.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new()
            {
                Resources = Fill(() => new DescribeConfigsRequest.DescribeConfigsResource
                {
                    ResourceType = ConfigResources.Topic,
                    ResourceName = "t",
                    ConfigurationKeys = null,
                }),
            },
            4);
        Assert.Single(configs.Results);
        DescribeProducersResponse producers = await peer.AskAsync<DescribeProducersRequest, DescribeProducersResponse>(
            new() { Topics = [new() { Name = "t", PartitionIndexes = new int[Times] }] }, 0);
        Assert.Single(Assert.Single(producers.Topics).Partitions);
    }

    [Fact]
    public async Task A_group_is_described_once()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        string[] groups = Fill(() => "g");
        Assert.Single((await peer.AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(
            new() { Groups = groups }, 6)).Groups);
        Assert.Single((await peer.AskAsync<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(
            new() { GroupIds = groups }, 0)).Groups);
        Assert.Single((await peer.AskAsync<ShareGroupDescribeRequest, ShareGroupDescribeResponse>(
            new() { GroupIds = groups }, 1)).Groups);
        Assert.Single((await peer.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { Groups = Fill(() => new OffsetFetchRequest.OffsetFetchRequestGroup { GroupId = "g" }) },
            9)).Groups);
    }

    [Fact]
    public async Task An_offset_that_is_asked_for_twice_is_no_question()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 2);
        ListOffsetsResponse answer = await peer.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new()
            {
                Topics =
                [
                    new()
                    {
                        Name = "t",
                        Partitions =
                        [
                            new() { Timestamp = -1 }, new() { PartitionIndex = 1, Timestamp = -1 },
                            new() { Timestamp = 1 },
                        ],
                    },
                ],
            },
            7);
        Assert.Equal(
            [ErrorCode.InvalidRequest, ErrorCode.None, ErrorCode.InvalidRequest],
            answer.Topics[0].Partitions.Select(p => (ErrorCode)p.ErrorCode));
    }

    [Fact]
    public async Task Topics_that_are_named_twice_are_not_made_and_cost_no_time()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        CreateTopicsResponse answer = await peer.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                Topics =
                [
                    .. Fill(() => new CreateTopicsRequest.CreatableTopic
                    {
                        Name = "t", NumPartitions = 1, ReplicationFactor = 1,
                    }),
                    new() { Name = "once", NumPartitions = 1, ReplicationFactor = 1 },
                ],
            },
            7);
        Assert.Equal(Times + 1, answer.Topics.Length);
        Assert.All(answer.Topics[..Times], t => Assert.Equal((short)ErrorCode.InvalidRequest, t.ErrorCode));
        Assert.Equal(0, answer.Topics[Times].ErrorCode);
        Assert.Equal(["once"], scene.Broker.Streams.All.Select(s => s.Name));
    }

    [Theory]
    [InlineData(2, nameof(ErrorCode.None), 0, 1)]
    [InlineData(2, nameof(ErrorCode.None), 1, 0)]
    [InlineData(2, nameof(ErrorCode.InvalidReplicaAssignment), 0, 0)]
    [InlineData(2, nameof(ErrorCode.InvalidReplicaAssignment), 0, 2)]
    [InlineData(2, nameof(ErrorCode.InvalidReplicaAssignment), -1, 0)]
    public async Task Assignments_name_each_partition_once(int count, string expected, params int[] partitions)
    {
        await using var scene = new KafkaScene();
        CreateTopicsResponse answer = await scene.Connect().AskAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                Topics =
                [
                    new()
                    {
                        Name = "t",
                        NumPartitions = -1,
                        ReplicationFactor = -1,
                        Assignments =
                        [
                            .. partitions.Select(p => new CreateTopicsRequest.CreatableReplicaAssignment
                            {
                                PartitionIndex = p,
                                BrokerIds = [1],
                            }),
                        ],
                    },
                ],
            },
            7);
        Assert.Equal(expected, $"{(ErrorCode)answer.Topics[0].ErrorCode}");
        Assert.Equal(expected == nameof(ErrorCode.None) ? count : -1, answer.Topics[0].NumPartitions);
    }

    private static T[] Fill<T>(Func<T> make) => [.. Enumerable.Range(0, Times).Select(_ => make())];
}
