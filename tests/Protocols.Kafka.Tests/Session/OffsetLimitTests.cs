using Pillarbox.Broker.Management;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using OffsetCommitRequest = Pillarbox.Protocols.Kafka.Wire.Messages.OffsetCommitRequest;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>A client that commits for endless names of groups hears when there is no more room, in the words of its
/// version.</summary>
public sealed class OffsetLimitTests
{
    private static readonly CoordinatorOptions Small = new()
    {
        Partitions = 1,
        Groups = new GroupOptions { OffsetsBytesMax = 10_000 },
    };

    [Fact]
    public async Task Commits_for_endless_groups_are_refused_at_the_limit()
    {
        await using var scene = new KafkaScene(coordinators: Small);
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        int groups = 0;
        ErrorCode error;
        while ((error = await CommitAsync(peer, $"g{groups}")) == ErrorCode.None)
        {
            groups++;
        }

        Assert.Equal(ErrorCode.InvalidCommitOffsetSize, error);
        Assert.InRange(groups, 5, 15);
        OffsetsView seen = Assert.Single(scene.Broker.GroupManagement.ListOffsetMemory(Identity.Node));
        Assert.Equal(("default", 10_000, 1), (seen.AddressSpace, seen.BytesMax, seen.RefusedTotal));
        Assert.InRange(seen.Bytes, 9_000, 10_000);
        Assert.Equal(ErrorCode.None, await CommitAsync(peer, "g0"));
    }

    [Theory]
    [InlineData(2, nameof(ErrorCode.InvalidCommitOffsetSize))]
    [InlineData(3, nameof(ErrorCode.InvalidCommitOffsetSize))]
    [InlineData(4, nameof(ErrorCode.TransactionAbortable))]
    [InlineData(5, nameof(ErrorCode.TransactionAbortable))]
    public async Task A_transaction_without_room_can_be_aborted_by_clients_that_know_how(short version, string expected)
    {
        await using var scene = new KafkaScene(
            coordinators: Small with { Groups = new GroupOptions { OffsetsBytesMax = 100 } });
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        InitProducerIdResponse producer = await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "tx", TransactionTimeoutMs = 60_000 }, 4);
        AddOffsetsToTxnResponse added = await peer.AskAsync<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(
            new()
            {
                TransactionalId = "tx",
                ProducerId = producer.ProducerId,
                ProducerEpoch = producer.ProducerEpoch,
                GroupId = "g",
            },
            3);
        Assert.Equal(0, added.ErrorCode);
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

    private static async Task<ErrorCode> CommitAsync(KafkaPeer peer, string group)
    {
        OffsetCommitResponse answer = await peer.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new()
            {
                GroupId = group,
                Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 1 }] }],
            },
            8);
        return (ErrorCode)answer.Topics[0].Partitions[0].ErrorCode;
    }
}
