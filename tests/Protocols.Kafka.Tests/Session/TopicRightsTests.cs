using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Permissions on topics count whichever way a request takes to them; the node's own topics are the
/// node's.</summary>
public sealed class TopicRightsTests
{
    private const string OwnTopic = "__consumer_offsets";

    private static readonly KafkaOptions MustLogIn = new() { AllowAnonymous = false };

    private static readonly SecurityConfig Rules = new()
    {
        Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
        {
            ["#"] = new Dictionary<string, Permission> { ["admin"] = (Permission)4095 },
            ["mine"] = Both(Permission.Consume | Permission.Send),
            ["g"] = Both(Permission.Consume),
            ["tx"] = Both(Permission.Send),
        },
    };

    [Fact]
    public async Task Members_of_a_share_group_need_the_topic_too()
    {
        await using var scene = new KafkaScene(MustLogIn, Rules);
        (KafkaPeer admin, KafkaPeer bob) = await ConnectAsync(scene);
        Guid secret = await admin.CreateTopicAsync("secret");
        Guid mine = await admin.CreateTopicAsync("mine");
        ShareFetchResponse fetched = await bob.AskAsync<ShareFetchRequest, ShareFetchResponse>(
            new()
            {
                GroupId = "g",
                MemberId = "m",
                MaxWaitMs = 0,
                Topics =
                [
                    new() { TopicId = secret, Partitions = [new()] },
                    new() { TopicId = mine, Partitions = [new(), new() { PartitionIndex = 7 }] },
                ],
            },
            1);
        Assert.Equal(
            [(secret, 0, ErrorCode.TopicAuthorizationFailed), (mine, 7, ErrorCode.UnknownTopicOrPartition)],
            fetched.Responses.SelectMany(t => t.Partitions.Select(p =>
                (t.TopicId, p.PartitionIndex, (ErrorCode)p.ErrorCode))));

        ShareAcknowledgeResponse acknowledged = await bob.AskAsync<ShareAcknowledgeRequest, ShareAcknowledgeResponse>(
            new()
            {
                GroupId = "g",
                MemberId = "m",
                ShareSessionEpoch = 1,
                Topics =
                [
                    new()
                    {
                        TopicId = secret,
                        Partitions = [new() { AcknowledgementBatches = [new() { AcknowledgeTypes = [1] }] }],
                    },
                ],
            },
            1);
        Assert.Equal(
            (short)ErrorCode.TopicAuthorizationFailed, acknowledged.Responses[0].Partitions[0].ErrorCode);
    }

    /// <summary>A transaction ends with a marker in each of its partitions, which is a write.</summary>
    [Fact]
    public async Task A_transaction_takes_in_only_topics_that_its_producer_may_write_to()
    {
        await using var scene = new KafkaScene(MustLogIn, Rules);
        (KafkaPeer admin, KafkaPeer bob) = await ConnectAsync(scene);
        await admin.CreateTopicAsync("secret");
        await admin.CreateTopicAsync("mine");
        InitProducerIdResponse producer = await bob.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "tx", TransactionTimeoutMs = 60_000 }, 4);
        Assert.Equal(
            [ErrorCode.OperationNotAttempted, ErrorCode.TopicAuthorizationFailed],
            await AddAsync(bob, producer, "mine", "secret"));
        Assert.Equal([ErrorCode.None], await AddAsync(bob, producer, "mine"));
        DescribeTransactionsResponse seen = await bob
            .AskAsync<DescribeTransactionsRequest, DescribeTransactionsResponse>(
                new() { TransactionalIds = ["tx"] }, 0);
        Assert.Equal("mine", Assert.Single(seen.TransactionStates[0].Topics).Topic);

        producer = await admin.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "other", TransactionTimeoutMs = 60_000 }, 4);
        Assert.Equal(
            [ErrorCode.TopicAuthorizationFailed], await AddAsync(admin, producer, "other", [OwnTopic]));
    }

    [Fact]
    public async Task The_nodes_own_topics_are_read_and_nothing_else()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "makes them", TransactionTimeoutMs = 60_000 }, 4);
        ProduceResponse produced = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce(OwnTopic, Requests.Batch("forged")), 9);
        Assert.Equal(
            (short)ErrorCode.InvalidTopicException, produced.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, await CutAsync(peer, OwnTopic));
        CreatePartitionsResponse grown = await peer.AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { Topics = [new() { Name = OwnTopic, Count = 60, Assignments = null }] }, 3);
        Assert.Equal((short)ErrorCode.InvalidTopicException, grown.Results[0].ErrorCode);
        FetchResponse read = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch(OwnTopic, 0), 12);
        Assert.Equal(0, read.Responses[0].Partitions[0].ErrorCode);
    }

    /// <summary>What stays until a later record of its key replaces it is not to be cut off.</summary>
    [Theory]
    [InlineData("compact", nameof(ErrorCode.PolicyViolation))]
    [InlineData("compact,delete", nameof(ErrorCode.None))]
    [InlineData("delete", nameof(ErrorCode.None))]
    public async Task Records_are_deleted_where_the_policy_deletes(string policy, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", setting: ("cleanup.policy", policy));
        Assert.Equal(expected, $"{await CutAsync(peer, "t")}");
    }

    private static Dictionary<string, Permission> Both(Permission ofMembers) =>
        new() { ["admin"] = (Permission)4095, ["member"] = ofMembers };

    private static async Task<(KafkaPeer Admin, KafkaPeer Bob)> ConnectAsync(KafkaScene scene) =>
        (await scene.ConnectAsync("root", "admin"), await scene.ConnectAsync("bob", "member"));

    private static async Task<ErrorCode> CutAsync(KafkaPeer peer, string topic)
    {
        DeleteRecordsResponse deleted = await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = topic, Partitions = [new() { Offset = 0 }] }] }, 2);
        return (ErrorCode)deleted.Topics[0].Partitions[0].ErrorCode;
    }

    private static Task<ErrorCode[]> AddAsync(
        KafkaPeer peer, InitProducerIdResponse producer, params string[] topics) =>
        AddAsync(peer, producer, "tx", topics);

    private static async Task<ErrorCode[]> AddAsync(
        KafkaPeer peer, InitProducerIdResponse producer, string transaction, string[] topics)
    {
        Assert.Equal(0, producer.ErrorCode);
        AddPartitionsToTxnResponse answer = await peer.AskAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(
            new()
            {
                V3AndBelowTransactionalId = transaction,
                V3AndBelowProducerId = producer.ProducerId,
                V3AndBelowProducerEpoch = producer.ProducerEpoch,
                V3AndBelowTopics =
                    [.. topics.Select(t => new AddPartitionsToTxnRequest.AddPartitionsToTxnTopic
                    {
                        Name = t,
                        Partitions = [0],
                    })],
            },
            3);
        return [.. answer.ResultsByTopicV3AndBelow.Select(t => (ErrorCode)t.ResultsByPartition[0].PartitionErrorCode)];
    }
}
