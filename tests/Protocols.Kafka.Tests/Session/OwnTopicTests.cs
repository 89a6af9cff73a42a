using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>What operators may do to the topics in which the node keeps groups and transactions: what loses nothing.
/// </summary>
public sealed class OwnTopicTests
{
    private const string OwnTopic = "__consumer_offsets";
    private const sbyte Topic = 2;
    private const sbyte Set = 0;
    private const sbyte Delete = 1;
    private const sbyte Append = 2;

    [Theory]
    [InlineData("cleanup.policy", "delete", Set)]
    [InlineData("cleanup.policy", "delete", Append)]
    [InlineData("flush.mode", "os", Set)]
    [InlineData("message.timestamp.type", "LogAppendTime", Set)]
    [InlineData("message.timestamp.before.max.ms", "1", Set)]
    [InlineData("message.timestamp.after.max.ms", "1", Set)]
    public async Task A_setting_by_which_groups_could_be_lost_is_refused_with_a_reason(
        string name, string value, sbyte operation)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await CommitAsync(peer, 1);
        (ErrorCode error, string? message) = await ChangeAsync(peer, name, value, operation);
        Assert.Equal(ErrorCode.InvalidConfig, error);
        Assert.StartsWith(
            $"'{OwnTopic}' is the node's own stream: its {name} stays ", message, StringComparison.Ordinal);
        Assert.Equal(
            ErrorCode.InvalidConfig, (await ChangeAsync(peer, name, value, operation, validateOnly: true)).Error);
        Assert.Equal("compact", await ConfigAsync(peer, "cleanup.policy"));
    }

    [Theory]
    [InlineData("segment.bytes", "2097152")]
    [InlineData("min.cleanable.dirty.ratio", "0.1")]
    [InlineData("min.insync.replicas", "2")]
    [InlineData("cleanup.policy", "compact")]
    public async Task A_setting_that_loses_nothing_is_changed(string name, string value)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await CommitAsync(peer, 1);
        Assert.Equal((ErrorCode.None, null), await ChangeAsync(peer, name, value, Set));
        Assert.Equal(value, await ConfigAsync(peer, name));
        Assert.Equal("compact", await ConfigAsync(peer, "cleanup.policy"));
    }

    /// <summary>The older request replaces all settings, and a deleted one gets its default: here that is what the node
    /// gives its topics.</summary>
    [Fact]
    public async Task What_is_not_named_or_is_deleted_stays_as_the_node_gives_it()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await CommitAsync(peer, 1);
        AlterConfigsResponse replaced = await peer.AskAsync<AlterConfigsRequest, AlterConfigsResponse>(
            new()
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = Topic,
                        ResourceName = OwnTopic,
                        Configs = [new() { Name = "segment.ms", Value = "60000" }],
                    },
                ],
            },
            2);
        Assert.Equal((0, null), (replaced.Responses[0].ErrorCode, replaced.Responses[0].ErrorMessage));
        Assert.Equal((ErrorCode.None, null), await ChangeAsync(peer, "cleanup.policy", null, Delete));
        Assert.Equal(
            ("compact", "104857600", "60000"),
            (await ConfigAsync(peer, "cleanup.policy"), await ConfigAsync(peer, "segment.bytes"),
                await ConfigAsync(peer, "segment.ms")));
    }

    /// <summary>Offsets that are kept in a compressed form are found at the next start.</summary>
    [Theory]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Offsets_are_there_after_a_restart_whatever_the_compression(string compression)
    {
        var files = new MemoryFileSystem();
        await using (var before = new KafkaScene(files: files))
        {
            KafkaPeer peer = before.Connect();
            await peer.CreateTopicAsync("t");
            await CommitAsync(peer, 1);
            Assert.Equal((ErrorCode.None, null), await ChangeAsync(peer, "compression.type", compression, Set));
            await CommitAsync(peer, 7);
        }

        await using var scene = new KafkaScene(files: files);
        OffsetFetchResponse found = await scene.Connect().AskAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }] }, 5);
        Assert.Equal((0, 7L), (found.ErrorCode, found.Topics[0].Partitions[0].CommittedOffset));
    }

    [Fact]
    public async Task They_are_not_deleted()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await CommitAsync(peer, 1);
        DeleteTopicsResponse deleted = await peer.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            new() { Topics = [new() { Name = OwnTopic }] }, 6);
        Assert.Equal((short)ErrorCode.InvalidRequest, deleted.Responses[0].ErrorCode);
        Assert.Equal("the node's own topics are not to be deleted", deleted.Responses[0].ErrorMessage);
        Assert.NotNull(scene.Broker.Streams.Find(OwnTopic));
    }

    private static async Task CommitAsync(KafkaPeer peer, long offset)
    {
        MetadataResponse topics = await peer.AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = "t" }], AllowAutoTopicCreation = true }, 9);
        Assert.Equal(0, topics.Topics[0].ErrorCode);
        OffsetCommitResponse kept = await peer.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new()
            {
                GroupId = "g",
                Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = offset }] }],
            },
            8);
        Assert.Equal(0, kept.Topics[0].Partitions[0].ErrorCode);
    }

    private static async Task<(ErrorCode Error, string? Message)> ChangeAsync(
        KafkaPeer peer, string name, string? value, sbyte operation, bool validateOnly = false)
    {
        IncrementalAlterConfigsResponse answer = await peer
            .AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new()
                {
                    ValidateOnly = validateOnly,
                    Resources =
                    [
                        new()
                        {
                            ResourceType = Topic,
                            ResourceName = OwnTopic,
                            Configs = [new() { Name = name, ConfigOperation = operation, Value = value }],
                        },
                    ],
                },
                1);
        return ((ErrorCode)answer.Responses[0].ErrorCode, answer.Responses[0].ErrorMessage);
    }

    private static async Task<string?> ConfigAsync(KafkaPeer peer, string name)
    {
        DescribeConfigsResponse all = await peer.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = Topic, ResourceName = OwnTopic, ConfigurationKeys = [name] }] },
            4);
        return Assert.Single(all.Results[0].Configs).Value;
    }
}
