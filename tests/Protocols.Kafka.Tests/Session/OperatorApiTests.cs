using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>What operators' tools ask of a cluster, answered by a node that is one alone.</summary>
public sealed class OperatorApiTests
{
    [Fact]
    public async Task One_node_is_its_own_quorum()
    {
        await using var scene = new KafkaScene();
        DescribeQuorumResponse answer = await scene.Connect().AskAsync<DescribeQuorumRequest, DescribeQuorumResponse>(
            new()
            {
                Topics =
                [
                    new() { TopicName = "__cluster_metadata", Partitions = [new()] },
                    new() { TopicName = "other", Partitions = [new()] },
                ],
            },
            2);
        Assert.Equal(0, answer.ErrorCode);
        DescribeQuorumResponse.PartitionData partition = answer.Topics[0].Partitions[0];
        Assert.Equal((1, 1), (partition.LeaderId, Assert.Single(partition.CurrentVoters).ReplicaId));
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, answer.Topics[1].Partitions[0].ErrorCode);
        Assert.Equal(1, Assert.Single(answer.Nodes).NodeId);
    }

    [Theory]
    [InlineData("transaction.version", 2, nameof(ErrorCode.None))]
    [InlineData("transaction.version", 1, nameof(ErrorCode.InvalidUpdateVersion))]
    [InlineData("metadata.version", 1, nameof(ErrorCode.InvalidUpdateVersion))]
    public async Task Features_stay_at_the_level_that_they_have(string feature, short level, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        UpdateFeaturesRequest request = new()
        {
            FeatureUpdates = [new() { Feature = feature, MaxVersionLevel = level }],
        };
        UpdateFeaturesResponse old = await peer.AskAsync<UpdateFeaturesRequest, UpdateFeaturesResponse>(request, 1);
        Assert.Equal(expected, $"{(ErrorCode)old.Results[0].ErrorCode}");
        UpdateFeaturesResponse whole = await peer.AskAsync<UpdateFeaturesRequest, UpdateFeaturesResponse>(request, 2);
        Assert.Equal(expected, $"{(ErrorCode)whole.ErrorCode}");
    }

    [Fact]
    public async Task Clients_are_told_to_send_no_figures()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        GetTelemetrySubscriptionsResponse told =
            await peer.AskAsync<GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse>(new(), 0);
        Assert.Empty(told.RequestedMetrics);
        Assert.NotEqual(Guid.Empty, told.ClientInstanceId);
        Assert.True(told.PushIntervalMs > 0);
        PushTelemetryResponse pushed = await peer.AskAsync<PushTelemetryRequest, PushTelemetryResponse>(
            new() { ClientInstanceId = told.ClientInstanceId, Metrics = [1] }, 0);
        Assert.Equal((short)ErrorCode.UnknownSubscriptionId, pushed.ErrorCode);
    }

    [Fact]
    public async Task There_are_no_delegation_tokens()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        for (short version = 0; version <= 3; version++)
        {
            Assert.Equal((short)ErrorCode.DelegationTokenAuthDisabled, (await peer
                .AskAsync<CreateDelegationTokenRequest, CreateDelegationTokenResponse>(
                    new() { Renewers = [new() { PrincipalType = "User", PrincipalName = "x" }] }, version)).ErrorCode);
            DescribeDelegationTokenResponse none = await peer
                .AskAsync<DescribeDelegationTokenRequest, DescribeDelegationTokenResponse>(new(), version);
            Assert.Equal((short)ErrorCode.DelegationTokenAuthDisabled, none.ErrorCode);
            Assert.Empty(none.Tokens);
        }

        Assert.Equal((short)ErrorCode.DelegationTokenAuthDisabled, (await peer
            .AskAsync<RenewDelegationTokenRequest, RenewDelegationTokenResponse>(new() { Hmac = [1] }, 2)).ErrorCode);
        Assert.Equal((short)ErrorCode.DelegationTokenAuthDisabled, (await peer
            .AskAsync<ExpireDelegationTokenRequest, ExpireDelegationTokenResponse>(new() { Hmac = [1] }, 2)).ErrorCode);
    }

    [Fact]
    public async Task Nobody_joins_or_leaves()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        AddRaftVoterResponse added = await peer.AskAsync<AddRaftVoterRequest, AddRaftVoterResponse>(
            new() { VoterId = 2, Listeners = [new() { Name = "CONTROLLER", Host = "h", Port = 9093 }] }, 1);
        Assert.Equal((short)ErrorCode.UnsupportedVersion, added.ErrorCode);
        RemoveRaftVoterResponse removed = await peer.AskAsync<RemoveRaftVoterRequest, RemoveRaftVoterResponse>(
            new() { VoterId = 1 }, 0);
        Assert.Equal((short)ErrorCode.UnsupportedVersion, removed.ErrorCode);
        foreach ((int broker, ErrorCode expected) in
            new[] { (1, ErrorCode.InvalidRequest), (7, ErrorCode.BrokerIdNotRegistered) })
        {
            UnregisterBrokerResponse left = await peer.AskAsync<UnregisterBrokerRequest, UnregisterBrokerResponse>(
                new() { BrokerId = broker }, 0);
            Assert.Equal(expected, (ErrorCode)left.ErrorCode);
        }
    }

    [Theory]
    [InlineData("data", "t", 0, nameof(ErrorCode.None))]
    [InlineData("elsewhere", "t", 0, nameof(ErrorCode.LogDirNotFound))]
    [InlineData("data", "t", 7, nameof(ErrorCode.UnknownTopicOrPartition))]
    public async Task There_is_one_data_directory(string path, string topic, int partition, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        AlterReplicaLogDirsResponse answer =
            await peer.AskAsync<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>(
                new()
                {
                    Dirs = [new() { Path = path, Topics = [new() { Name = topic, Partitions = [partition] }] }],
                },
                1);
        Assert.Equal(expected, $"{(ErrorCode)answer.Results[0].Partitions[0].ErrorCode}");
    }

    [Theory]
    [InlineData("t", 1, nameof(ErrorCode.None))]
    [InlineData("t", 2, nameof(ErrorCode.InvalidReplicaAssignment))]
    [InlineData("t", null, nameof(ErrorCode.NoReassignmentInProgress))]
    [InlineData("missing", 1, nameof(ErrorCode.UnknownTopicOrPartition))]
    public async Task A_partition_can_only_stay_where_it_is(string topic, int? replica, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        AlterPartitionReassignmentsResponse answer =
            await peer.AskAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(
                new()
                {
                    Topics =
                    [
                        new() { Name = topic, Partitions = [new() { Replicas = replica is { } id ? [id] : null }] },
                    ],
                },
                0);
        Assert.Equal(expected, $"{(ErrorCode)answer.Responses[0].Partitions[0].ErrorCode}");
    }

    [Fact]
    public async Task A_topic_without_a_name_is_unknown_and_no_more()
    {
        await using var scene = new KafkaScene();
        DescribeTopicPartitionsResponse answer =
            await scene.Connect().AskAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
                new() { Topics = [new() { Name = "" }] }, 0);
        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, answer.Topics[0].ErrorCode);
    }
}
