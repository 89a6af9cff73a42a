using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Metadata, versions and settings: what a client asks before anything else.</summary>
public sealed class MetadataTests
{
    /// <summary>Before version 4 a client cannot say that it does not want the topic to be made.</summary>
    [Theory]
    [InlineData(0, true, true)]
    [InlineData(3, false, true)]
    [InlineData(4, true, true)]
    [InlineData(4, false, false)]
    [InlineData(13, false, false)]
    public async Task A_topic_is_made_when_the_client_wants_that(short version, bool allows, bool isMade)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        MetadataResponse answer = await peer.AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = "t" }], AllowAutoTopicCreation = allows }, version);
        ErrorCode expected = isMade ? ErrorCode.None : ErrorCode.UnknownTopicOrPartition;
        Assert.Equal(expected, (ErrorCode)answer.Topics[0].ErrorCode);
        Assert.Equal(isMade, scene.Broker.Streams.Find("t") is not null);
    }

    [Theory]
    [InlineData(false, "t", nameof(ErrorCode.UnknownTopicOrPartition))]
    [InlineData(true, "no name / this", nameof(ErrorCode.InvalidTopicException))]
    public async Task A_topic_that_may_not_be_is_not_made(bool nodeAllows, string name, string expected)
    {
        await using var scene = new KafkaScene(new KafkaOptions { AutoCreateTopics = nodeAllows });
        MetadataResponse answer = await scene.Connect().AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = name }] }, 9);
        Assert.Equal(expected, $"{(ErrorCode)answer.Topics[0].ErrorCode}");
        Assert.Empty(scene.Broker.Streams.All);
    }

    /// <summary>Nothing named means all topics in version 0, and none from version 1 on.</summary>
    [Theory]
    [InlineData(0, false, 2)]
    [InlineData(1, false, 0)]
    [InlineData(1, true, 2)]
    [InlineData(13, true, 2)]
    public async Task All_topics_or_none(short version, bool isNull, int expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("a");
        await peer.CreateTopicAsync("b", 3);
        MetadataResponse answer = await peer.AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = isNull ? null : [] }, version);
        Assert.Equal(expected, answer.Topics.Length);
        Assert.All(answer.Topics.SelectMany(t => t.Partitions), p => Assert.Equal((1, 1), (p.LeaderId, p.IsrNodes[0])));
        Assert.Equal(version == 0 ? -1 : 1, answer.ControllerId);
    }

    /// <summary>Who waits for a topic to appear would wait for ever.</summary>
    [Theory]
    [InlineData("no such")]
    [InlineData("a/b")]
    [InlineData("..")]
    public async Task A_name_that_no_topic_can_have_is_told_from_one_that_is_missing(string name)
    {
        await using var scene = new KafkaScene();
        MetadataResponse answer = await scene.Connect().AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = name }, new() { Name = "missing" }], AllowAutoTopicCreation = false }, 9);
        Assert.Equal(
            [ErrorCode.InvalidTopicException, ErrorCode.UnknownTopicOrPartition],
            answer.Topics.Select(topic => (ErrorCode)topic.ErrorCode));
    }

    /// <summary>Whoever makes one of these as a topic of its own would have the groups' state in it.</summary>
    [Theory]
    [InlineData("__consumer_offsets")]
    [InlineData("__transaction_state")]
    [InlineData("__share_group_state")]
    public async Task The_node_s_own_topics_are_made_by_the_node_alone(string name)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        CreateTopicsResponse refused = await peer.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { Topics = [new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 }] }, 7);
        Assert.Equal((short)ErrorCode.InvalidTopicException, refused.Topics[0].ErrorCode);
        Assert.Contains("node's own", refused.Topics[0].ErrorMessage, StringComparison.Ordinal);
        MetadataResponse missing = await peer.AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = name }], AllowAutoTopicCreation = false }, 9);
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, missing.Topics[0].ErrorCode);
        MetadataResponse made = await peer.AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = name }], AllowAutoTopicCreation = true }, 9);
        Assert.Equal((0, true, 50), (
            made.Topics[0].ErrorCode, made.Topics[0].IsInternal, made.Topics[0].Partitions.Length));
    }

    [Fact]
    public async Task The_node_tells_what_tools_ask_of_a_broker()
    {
        await using var scene = new KafkaScene();
        DescribeConfigsResponse answer = await scene.Connect()
            .AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
                new() { Resources = [new() { ResourceType = ConfigResources.Broker, ResourceName = "1" }] }, 4);
        Dictionary<string, string?> shown = answer.Results[0].Configs.ToDictionary(c => c.Name, c => c.Value);
        Assert.Equal("10080", shown["offsets.retention.minutes"]);
        Assert.Equal("1048588", shown["message.max.bytes"]);
        Assert.Equal("604800000", shown["log.retention.ms"]);
        Assert.Equal("900000", shown["transaction.max.timeout.ms"]);
        Assert.Equal("4096", shown["offset.metadata.max.bytes"]);
        Assert.Equal("50", shown["offsets.topic.num.partitions"]);
    }

    [Fact]
    public async Task Topics_are_found_by_their_ids()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid id = await peer.CreateTopicAsync("t");
        MetadataResponse answer = await peer.AskAsync<MetadataRequest, MetadataResponse>(
            new()
            {
                Topics = [new() { TopicId = id, Name = null }, new() { TopicId = Guid.NewGuid(), Name = null }],
            },
            12);
        Assert.Equal(("t", 0), (answer.Topics[0].Name, answer.Topics[0].ErrorCode));
        Assert.Equal((null, (short)ErrorCode.UnknownTopicId), (answer.Topics[1].Name, answer.Topics[1].ErrorCode));
    }

    [Theory]
    [InlineData("pillarbox", 1, nameof(ErrorCode.None))]
    [InlineData(null, -1, nameof(ErrorCode.None))]
    [InlineData("another", 1, nameof(ErrorCode.RebootstrapRequired))]
    [InlineData("pillarbox", 2, nameof(ErrorCode.RebootstrapRequired))]
    public async Task A_client_that_means_another_cluster_or_node_is_told_to_begin_anew(
        string? cluster, int node, string expected)
    {
        await using var scene = new KafkaScene();
        ApiVersionsResponse answer = await scene.Connect().AskAsync<ApiVersionsRequest, ApiVersionsResponse>(
            new() { ClientSoftwareName = "test", ClientSoftwareVersion = "1", ClusterId = cluster, NodeId = node }, 5);
        Assert.Equal(expected, $"{(ErrorCode)answer.ErrorCode}");
    }

    [Fact]
    public async Task A_client_without_a_proper_name_is_refused_from_version_3_on()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        ApiVersionsRequest request = new() { ClientSoftwareName = "-", ClientSoftwareVersion = "1" };
        Assert.Equal(
            (short)ErrorCode.InvalidRequest,
            (await peer.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(request, 3)).ErrorCode);
        Assert.Equal(0, (await peer.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(request, 2)).ErrorCode);
    }

    [Fact]
    public async Task Settings_are_shown_with_where_they_come_from_and_what_else_they_would_be()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await peer.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new()
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = ConfigResources.Topic,
                        ResourceName = "t",
                        Configs =
                        [
                            new() { Name = "retention.ms", Value = "1000" },
                            new() { Name = "min.insync.replicas", Value = "2" },
                        ],
                    },
                ],
            },
            1);
        DescribeConfigsResponse answer = await peer.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new()
            {
                IncludeSynonyms = true,
                IncludeDocumentation = true,
                Resources =
                    [new() { ResourceType = ConfigResources.Topic, ResourceName = "t", ConfigurationKeys = null }],
            },
            4);
        Dictionary<string, DescribeConfigsResponse.DescribeConfigsResourceResult> shown =
            answer.Results[0].Configs.ToDictionary(c => c.Name);
        Assert.Equal(StreamSetting.All.Keys.Order(StringComparer.Ordinal), shown.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("1000", shown["retention.ms"].Value);
        Assert.Equal(ConfigResources.GivenForTopic, shown["retention.ms"].ConfigSource);
        Assert.Equal(
            [("1000", ConfigResources.GivenForTopic), ("604800000", ConfigResources.Default)],
            shown["retention.ms"].Synonyms.Select(s => (s.Value!, s.Source)));
        Assert.Equal("2", shown["min.insync.replicas"].Value);
        Assert.Equal(ConfigResources.Default, shown["segment.ms"].ConfigSource);
        Assert.Equal(["604800000"], shown["segment.ms"].Synonyms.Select(s => s.Value));
        Assert.All(shown.Values, setting => Assert.False(string.IsNullOrEmpty(setting.Documentation)));
    }
}
