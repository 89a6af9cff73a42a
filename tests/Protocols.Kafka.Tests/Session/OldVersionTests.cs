using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>What old versions of requests mean other than new ones.</summary>
public sealed class OldVersionTests
{
    [Theory]
    [InlineData(2, nameof(ErrorCode.UnknownMemberId), 0)]
    [InlineData(3, nameof(ErrorCode.None), 1)]
    public async Task Who_leaves_alone_hears_what_is_wrong_with_the_whole(short version, string expected, int members)
    {
        await using var scene = new KafkaScene();
        LeaveGroupResponse left = await scene.Connect().AskAsync<LeaveGroupRequest, LeaveGroupResponse>(
            new() { GroupId = "g", MemberId = "m", Members = version < 3 ? [] : [new() { MemberId = "m" }] }, version);
        Assert.Equal(expected, $"{(ErrorCode)left.ErrorCode}");
        Assert.Equal(members, left.Members.Length);
        Assert.All(left.Members, m => Assert.Equal((short)ErrorCode.UnknownMemberId, m.ErrorCode));
    }

    [Theory]
    [InlineData(5, nameof(ErrorCode.None))]
    [InlineData(6, nameof(ErrorCode.GroupIdNotFound))]
    public async Task A_group_that_is_not_there_is_a_dead_one_to_old_clients(short version, string expected)
    {
        await using var scene = new KafkaScene();
        DescribeGroupsResponse seen = await scene.Connect().AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(
            new() { Groups = ["g"] }, version);
        Assert.Equal(expected, $"{(ErrorCode)seen.Groups[0].ErrorCode}");
        Assert.Equal("Dead", seen.Groups[0].GroupState);
    }

    [Theory]
    [InlineData(4, -1)]
    [InlineData(5, 7)]
    [InlineData(7, 7)]
    public async Task The_epoch_of_a_committed_offset_is_given_back(short version, int expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        OffsetCommitResponse kept = await peer.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new()
            {
                GroupId = "g",
                Topics =
                [
                    new() { Name = "t", Partitions = [new() { CommittedOffset = 5, CommittedLeaderEpoch = 7 }] },
                ],
            },
            8);
        Assert.Equal(0, kept.Topics[0].Partitions[0].ErrorCode);
        OffsetFetchResponse answer = await peer.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }] }, version);
        OffsetFetchResponse.OffsetFetchResponsePartition found = answer.Topics[0].Partitions[0];
        Assert.Equal((5, expected), (found.CommittedOffset, found.CommittedLeaderEpoch));
    }

    [Fact]
    public async Task Partitions_that_are_only_tried_are_not_made()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        CreatePartitionsResponse tried = await peer.AskAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { Topics = [new() { Name = "t", Count = 3, Assignments = null }], ValidateOnly = true }, 3);
        Assert.Equal(0, tried.Results[0].ErrorCode);
        Assert.Single(scene.Broker.Streams.Find("t")!.Partitions);
    }

    /// <summary>Before version 5 a client says beforehand that its transaction commits offsets of the group.</summary>
    [Theory]
    [InlineData(4, nameof(ErrorCode.TransactionAbortable))]
    [InlineData(5, nameof(ErrorCode.None))]
    public async Task A_group_that_is_not_in_the_transaction_is_taken_in_since_version_5(short version, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        InitProducerIdResponse producer = await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "tx", TransactionTimeoutMs = 60_000 }, 4);
        TxnOffsetCommitResponse answer = await peer.AskAsync<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(
            new()
            {
                TransactionalId = "tx",
                GroupId = "g",
                ProducerId = producer.ProducerId,
                ProducerEpoch = producer.ProducerEpoch,
                Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 1 }] }],
            },
            version);
        Assert.Equal(expected, $"{(ErrorCode)answer.Topics[0].Partitions[0].ErrorCode}");
    }

    /// <summary>A static leader that comes back keeps what it has; before version 9 it cannot be told so.</summary>
    [Theory]
    [InlineData(8, false)]
    [InlineData(9, true)]
    public async Task A_static_leader_that_comes_back_is_told_to_skip_the_assignment(short version, bool skips)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        JoinGroupResponse first = await JoinAsync(peer, version);
        SyncGroupResponse synced = await peer.AskAsync<SyncGroupRequest, SyncGroupResponse>(
            new()
            {
                GroupId = "g",
                GenerationId = first.GenerationId,
                MemberId = first.MemberId,
                GroupInstanceId = "i",
                ProtocolType = "consumer",
                ProtocolName = "range",
                Assignments = [new() { MemberId = first.MemberId, Assignment = [1] }],
            },
            5);
        Assert.Equal(0, synced.ErrorCode);
        JoinGroupResponse back = await JoinAsync(peer, version);
        Assert.Equal((0, skips), (back.ErrorCode, back.SkipAssignment));
        Assert.Equal(skips, back.Leader == back.MemberId);
    }

    private static Task<JoinGroupResponse> JoinAsync(KafkaPeer peer, short version) =>
        peer.AskAsync<JoinGroupRequest, JoinGroupResponse>(
            new()
            {
                GroupId = "g",
                SessionTimeoutMs = 30_000,
                RebalanceTimeoutMs = 30_000,
                MemberId = "",
                GroupInstanceId = "i",
                ProtocolType = "consumer",
                Protocols = [new() { Name = "range", Metadata = [0] }],
            },
            version);
}
