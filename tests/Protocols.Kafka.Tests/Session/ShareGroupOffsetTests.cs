using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Where share groups are, seen and set by operators.</summary>
public sealed class ShareGroupOffsetTests
{
    [Fact]
    public async Task Offsets_are_seen_set_and_forgotten_when_nobody_is_in_the_group()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", partitions: 2);
        await HeartbeatAsync(peer, 0);
        await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", Requests.Batch("a", "b", "c")), 9);
        Assert.Equal(ErrorCode.NonEmptyGroup, await AlterAsync(peer, 2));
        await HeartbeatAsync(peer, -1);
        Assert.Equal(ErrorCode.None, await AlterAsync(peer, 2));
        Assert.Equal(ErrorCode.OffsetOutOfRange, await AlterAsync(peer, 4));
        Assert.Equal("0:2:1", await DescribeAsync(peer, named: false));
        Assert.Equal("0:2:1, 1:-1:-1", await DescribeAsync(peer, named: true));
        DeleteShareGroupOffsetsResponse deleted =
            await peer.AskAsync<DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse>(
                new() { GroupId = "g", Topics = [new() { TopicName = "t" }, new() { TopicName = "missing" }] }, 0);
        Assert.Equal(0, deleted.ErrorCode);
        Assert.Equal(
            [0, (short)ErrorCode.UnknownTopicOrPartition], deleted.Responses.Select(r => r.ErrorCode));
        Assert.Equal("", await DescribeAsync(peer, named: false));
    }

    [Fact]
    public async Task A_group_that_is_none_is_refused()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.GroupIdNotFound, await AlterAsync(peer, 0));
        DescribeShareGroupOffsetsResponse seen = await AskAsync(peer, named: false);
        Assert.Equal((short)ErrorCode.GroupIdNotFound, seen.Groups[0].ErrorCode);
    }

    private static async Task HeartbeatAsync(KafkaPeer peer, int epoch)
    {
        ShareGroupHeartbeatResponse answer = await peer
            .AskAsync<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse>(
                new() { GroupId = "g", MemberId = "m", MemberEpoch = epoch, SubscribedTopicNames = ["t"] }, 1);
        Assert.Equal(0, answer.ErrorCode);
    }

    private static async Task<ErrorCode> AlterAsync(KafkaPeer peer, long offset)
    {
        AlterShareGroupOffsetsResponse answer =
            await peer.AskAsync<AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse>(
                new()
                {
                    GroupId = "g",
                    Topics = [new() { TopicName = "t", Partitions = [new() { StartOffset = offset }] }],
                },
                0);
        return (ErrorCode)(answer.ErrorCode != 0 ? answer.ErrorCode : answer.Responses[0].Partitions[0].ErrorCode);
    }

    private static Task<DescribeShareGroupOffsetsResponse> AskAsync(KafkaPeer peer, bool named) =>
        peer.AskAsync<DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse>(
            new()
            {
                Groups =
                [
                    new()
                    {
                        GroupId = "g",
                        Topics = named ? [new() { TopicName = "t", Partitions = [0, 1] }] : null,
                    },
                ],
            },
            1);

    private static async Task<string> DescribeAsync(KafkaPeer peer, bool named)
    {
        DescribeShareGroupOffsetsResponse answer = await AskAsync(peer, named);
        Assert.Equal(0, answer.Groups[0].ErrorCode);
        return string.Join(
            ", ",
            from topic in answer.Groups[0].Topics
            from partition in topic.Partitions
            select $"{partition.PartitionIndex}:{partition.StartOffset}:{partition.Lag}");
    }
}
