using System.Reflection;
using Pillarbox.Protocols.Kafka.Tests.Wire;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Every API at every version that is offered answers, to an empty request and to a random one.</summary>
public sealed class ApiTests
{
    private static readonly ApiKey[] Waiting = [ApiKey.JoinGroup, ApiKey.SyncGroup];

    public static IEnumerable<TheoryDataRow<string>> Names => ApiTable.All
        .Where(e => !Waiting.Contains(e.Key)).Select(e => new TheoryDataRow<string>(e.Key.ToString()));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_version_answers(string name)
    {
        await using var scene = new KafkaScene();
        ApiEntry entry = ApiTable.All.Single(e => e.Key.ToString() == name);
        Type request = MessageTypes.All.Single(t => t.Name == name + "Request");
        Type response = MessageTypes.All.Single(t => t.Name == name + "Response");
        MethodInfo ask = typeof(ApiTests)
            .GetMethod(nameof(AskAsync), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(request, response);
        for (short version = entry.VersionMin; version <= entry.VersionMax; version++)
        {
            await (Task)ask.Invoke(null, [scene, version, null])!;
            for (int round = 0; round < 3; round++)
            {
                await (Task)ask.Invoke(null, [scene, version, new RandomMessages(Seeds.Next())])!;
            }
        }
    }

    [Fact]
    public async Task A_partition_count_that_shrinks_is_refused()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 3);
        CreatePartitionsResponse answer = await peer.AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { Topics = [new() { Name = "t", Count = 2, Assignments = null }] }, 3);
        Assert.Equal((short)ErrorCode.InvalidPartitions, answer.Results[0].ErrorCode);
    }

    [Theory]
    [InlineData(4, nameof(ErrorCode.None))]
    [InlineData(3, nameof(ErrorCode.InvalidPartitions))]
    [InlineData(100_001, nameof(ErrorCode.InvalidPartitions))]
    public async Task A_question_whether_partitions_could_be_made_makes_none(int count, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 3);
        CreatePartitionsResponse answer = await peer.AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { ValidateOnly = true, Topics = [new() { Name = "t", Count = count, Assignments = null }] }, 3);
        Assert.Equal(expected, $"{(ErrorCode)answer.Results[0].ErrorCode}");
        Assert.Equal(3, scene.Broker.Streams.Find("t")!.Partitions.Count);
    }

    [Fact]
    public async Task Records_are_deleted_up_to_an_offset()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", Requests.Batch("a", "b", "c")), 9);
        DeleteRecordsResponse deleted = await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 2 }] }] }, 2);
        DeleteRecordsResponse.DeleteRecordsPartitionResult result = deleted.Topics[0].Partitions[0];
        Assert.Equal((0, 2L), (result.ErrorCode, result.LowWatermark));
        ListOffsetsResponse first = await peer.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -2 }] }] }, 7);
        Assert.Equal(2, first.Topics[0].Partitions[0].Offset);
    }

    [Fact]
    public async Task A_list_setting_grows_and_shrinks()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        foreach ((sbyte operation, string expected) in new (sbyte, string)[] { (2, "delete,compact"), (3, "delete") })
        {
            await peer.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new()
                {
                    Resources =
                    [
                        new()
                        {
                            ResourceType = 2,
                            ResourceName = "t",
                            Configs =
                                [new() { Name = "cleanup.policy", ConfigOperation = operation, Value = "compact" }],
                        },
                    ],
                },
                1);
            DescribeConfigsResponse shown = await peer.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
                new()
                {
                    Resources =
                        [new() { ResourceType = 2, ResourceName = "t", ConfigurationKeys = ["cleanup.policy"] }],
                },
                4);
            Assert.Equal(expected, shown.Results[0].Configs[0].Value);
        }
    }

    // A connection each: some answers end theirs.
    private static async Task AskAsync<TRequest, TResponse>(KafkaScene scene, short version, RandomMessages? random)
        where TRequest : class, IKafkaMessage<TRequest>, new()
        where TResponse : class, IKafkaMessage<TResponse>
    {
        KafkaPeer peer = scene.Connect();
        TRequest request = (TRequest?)random?.Fill(typeof(TRequest)) ?? new TRequest();
        if (request is ProduceRequest produce)
        {
            // Without acknowledgement there is no answer.
            produce.Acks = -1;
        }
        else if (request is FetchRequest fetch)
        {
            fetch.MaxWaitMs = 0;
        }

        await peer.AskAsync<TRequest, TResponse>(request, version);
    }
}
