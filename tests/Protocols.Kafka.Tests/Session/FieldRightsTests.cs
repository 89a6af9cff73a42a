using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>The rights that the field's programs are given, as the documents of those programs say, are enough
/// here.</summary>
public sealed class FieldRightsTests
{
    private const Permission All = (Permission)4095;

    private static readonly KafkaOptions MustLogIn = new() { AllowAnonymous = false };

    /// <summary>What watches how far groups are behind may describe topics and groups, and reads nothing.</summary>
    [Fact]
    public async Task Who_may_only_describe_a_topic_asks_where_its_records_begin_and_end()
    {
        await using KafkaScene scene = Scene(("t", Permission.View));
        (KafkaPeer admin, KafkaPeer bob) = await ConnectAsync(scene);
        await admin.CreateTopicAsync("t");
        await admin.CreateTopicAsync("secret");
        await admin.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("a", "b")), 9);
        Assert.Equal((ErrorCode.None, 2), await EndAsync(bob, "t"));
        Assert.Equal((ErrorCode.TopicAuthorizationFailed, -1), await EndAsync(bob, "secret"));
        Assert.Equal((ErrorCode.UnknownTopicOrPartition, -1), await EndAsync(admin, "nowhere"));
        Assert.Equal((ErrorCode.None, 2), await EpochEndAsync(bob, "t"));
        Assert.Equal((ErrorCode.TopicAuthorizationFailed, -1), await EpochEndAsync(bob, "secret"));

        FetchResponse read = await bob.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0), 12);
        Assert.Equal((short)ErrorCode.TopicAuthorizationFailed, read.Responses[0].Partitions[0].ErrorCode);
    }

    [Theory]
    [InlineData(Permission.DeleteAddress, nameof(ErrorCode.None))]
    [InlineData(Permission.Manage, nameof(ErrorCode.None))]
    [InlineData(Permission.Consume | Permission.Send | Permission.View, nameof(ErrorCode.TopicAuthorizationFailed))]
    public async Task Who_may_delete_a_topic_deletes_its_records(Permission given, string expected)
    {
        await using KafkaScene scene = Scene(("t", given));
        (KafkaPeer admin, KafkaPeer bob) = await ConnectAsync(scene);
        await admin.CreateTopicAsync("t");
        DeleteRecordsResponse deleted = await bob.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = -1 }] }] }, 2);
        Assert.Equal(expected, $"{(ErrorCode)deleted.Topics[0].Partitions[0].ErrorCode}");
    }

    [Theory]
    [InlineData(Permission.Manage, nameof(ErrorCode.None))]
    [InlineData(Permission.CreateAddress, nameof(ErrorCode.None))]
    [InlineData(Permission.Consume | Permission.Send | Permission.View, nameof(ErrorCode.TopicAuthorizationFailed))]
    public async Task Who_may_alter_a_topic_gives_it_more_partitions(Permission given, string expected)
    {
        await using KafkaScene scene = Scene(("t", given));
        (KafkaPeer admin, KafkaPeer bob) = await ConnectAsync(scene);
        await admin.CreateTopicAsync("t");
        CreatePartitionsResponse grown = await bob.AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { Topics = [new() { Name = "t", Count = 3, Assignments = null }] }, 3);
        Assert.Equal(expected, $"{(ErrorCode)grown.Results[0].ErrorCode}");
    }

    [Fact]
    public async Task Offsets_of_a_transaction_say_which_right_is_missing()
    {
        await using KafkaScene scene = Scene(
            ("t", Permission.Consume), ("g", Permission.Consume), ("tx", Permission.Send));
        (KafkaPeer admin, KafkaPeer bob) = await ConnectAsync(scene);
        await admin.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, await CommitAsync(bob, "other", "g"));
        Assert.Equal(ErrorCode.GroupAuthorizationFailed, await CommitAsync(bob, "tx", "other"));
    }

    [Theory]
    [InlineData(Permission.Consume, nameof(ErrorCode.GroupAuthorizationFailed))]
    [InlineData(Permission.Edit, nameof(ErrorCode.None))]
    public async Task Who_may_alter_a_group_s_settings_does(Permission given, string expected)
    {
        await using KafkaScene scene = Scene(("g", given));
        (_, KafkaPeer bob) = await ConnectAsync(scene);
        IncrementalAlterConfigsResponse altered =
            await bob.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new()
                {
                    Resources =
                    [
                        new()
                        {
                            ResourceType = ConfigResources.Group,
                            ResourceName = "g",
                            Configs = [new() { Name = "consumer.session.timeout.ms", Value = "30000" }],
                        },
                    ],
                },
                1);
        Assert.Equal(expected, $"{(ErrorCode)altered.Responses[0].ErrorCode}");
    }

    [Fact]
    public async Task Who_deletes_a_topic_by_its_id_hears_its_name()
    {
        await using KafkaScene scene = Scene(("t", Permission.View));
        (KafkaPeer admin, KafkaPeer bob) = await ConnectAsync(scene);
        Guid id = await admin.CreateTopicAsync("t");
        Assert.Equal((ErrorCode.TopicAuthorizationFailed, null, id), await DeleteAsync(bob, id));
        Assert.Equal((ErrorCode.None, "t", id), await DeleteAsync(admin, id));
        Assert.Equal((ErrorCode.UnknownTopicId, null, id), await DeleteAsync(admin, id));
    }

    private static KafkaScene Scene(params (string Name, Permission OfMembers)[] permissions)
    {
        Dictionary<string, IReadOnlyDictionary<string, Permission>> blocks = new()
        {
            ["#"] = new Dictionary<string, Permission> { ["admin"] = All },
        };
        foreach ((string name, Permission ofMembers) in permissions)
        {
            blocks[name] = new Dictionary<string, Permission> { ["admin"] = All, ["member"] = ofMembers };
        }

        return new KafkaScene(MustLogIn, new SecurityConfig { Permissions = blocks });
    }

    private static async Task<(KafkaPeer Admin, KafkaPeer Bob)> ConnectAsync(KafkaScene scene) =>
        (await scene.ConnectAsync("root", "admin"), await scene.ConnectAsync("bob", "member"));

    private static async Task<(ErrorCode Error, long Offset)> EndAsync(KafkaPeer peer, string topic)
    {
        ListOffsetsResponse answer = await peer.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = topic, Partitions = [new() { Timestamp = -1 }] }] }, 7);
        ListOffsetsResponse.ListOffsetsPartitionResponse partition = answer.Topics[0].Partitions[0];
        return ((ErrorCode)partition.ErrorCode, partition.Offset);
    }

    private static async Task<(ErrorCode Error, long Offset)> EpochEndAsync(KafkaPeer peer, string topic)
    {
        OffsetForLeaderEpochResponse answer =
            await peer.AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
                new() { Topics = [new() { Topic = topic, Partitions = [new() { LeaderEpoch = 0 }] }] }, 4);
        OffsetForLeaderEpochResponse.EpochEndOffset partition = answer.Topics[0].Partitions[0];
        return ((ErrorCode)partition.ErrorCode, partition.EndOffset);
    }

    private static async Task<ErrorCode> CommitAsync(KafkaPeer peer, string transaction, string group)
    {
        TxnOffsetCommitResponse answer = await peer.AskAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(
            new()
            {
                TransactionalId = transaction,
                GroupId = group,
                Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 1 }] }],
            },
            3);
        return (ErrorCode)answer.Topics[0].Partitions[0].ErrorCode;
    }

    private static async Task<(ErrorCode Error, string? Name, Guid Id)> DeleteAsync(KafkaPeer peer, Guid id)
    {
        DeleteTopicsResponse answer = await peer.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            new() { Topics = [new() { TopicId = id }] }, 6);
        DeleteTopicsResponse.DeletableTopicResult result = answer.Responses[0];
        return ((ErrorCode)result.ErrorCode, result.Name, result.TopicId);
    }
}
