using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>A share group at the wire: members get records, accept some, give some back, and see those again.</summary>
public sealed class ShareGroupTests
{
    [Fact]
    public async Task Records_are_given_out_once_until_they_are_given_back()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        ShareGroupHeartbeatResponse joined = await peer
            .AskAsync<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse>(
                new() { GroupId = "g", MemberId = "m", SubscribedTopicNames = ["t"] }, 1);
        Assert.Equal(0, joined.ErrorCode);

        // The group begins at the end of the log.
        Assert.Empty(Acquired(await FetchAsync(peer, topic, 0)));
        await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", Requests.Batch("a", "b", "c")), 9);
        ShareFetchResponse first = await FetchAsync(peer, topic, 1);
        Assert.Equal([(0L, 2L, 1)], Acquired(first));
        Assert.Equal(["a", "b", "c"], Requests.Values(first.Responses[0].Partitions[0].Records));

        ShareFetchResponse second = await FetchAsync(peer, topic, 2, (0, 0, 1), (1, 2, 2));
        Assert.Equal(0, second.Responses[0].Partitions[0].AcknowledgeErrorCode);
        (long, long, int)[] again = Acquired(second);
        if (again.Length == 0)
        {
            again = Acquired(await FetchAsync(peer, topic, 3));
        }

        Assert.Equal([(1L, 2L, 2)], again);
    }

    [Fact]
    public async Task A_session_that_is_not_there_is_refused()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        ShareFetchResponse answer = await FetchAsync(peer, topic, 5);
        Assert.Equal((short)ErrorCode.ShareSessionNotFound, answer.ErrorCode);
        await FetchAsync(peer, topic, 0);
        answer = await FetchAsync(peer, topic, 5);
        Assert.Equal((short)ErrorCode.InvalidShareSessionEpoch, answer.ErrorCode);
    }

    /// <summary>Requests that were sent without waiting for answers change the session while those before them are at
    /// work.</summary>
    [Fact]
    public async Task Requests_may_follow_each_other_closely()
    {
        const int Rounds = 60;
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t", Rounds);
        await peer.AskAsync<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse>(
            new() { GroupId = "g", MemberId = "m", SubscribedTopicNames = ["t"] }, 1);
        int[] sent = new int[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            sent[i] = await peer.SendAsync(
                new ShareFetchRequest
                {
                    GroupId = "g",
                    MemberId = "m",
                    ShareSessionEpoch = i,
                    MaxWaitMs = i == Rounds - 1 ? 0 : 20,
                    Topics = [new() { TopicId = topic, Partitions = [new() { PartitionIndex = i }] }],
                    ForgottenTopicsData = i % 7 == 6 ? [new() { TopicId = topic, Partitions = [i - 1] }] : [],
                },
                1);
        }

        foreach (int correlation in sent)
        {
            Assert.Equal(0, (await peer.TakeAsync<ShareFetchResponse>(1, correlation)).ErrorCode);
        }
    }

    private static Task<ShareFetchResponse> FetchAsync(
        KafkaPeer peer, Guid topic, int epoch, params (long First, long Last, sbyte Type)[] acknowledged) =>
        peer.AskAsync<ShareFetchRequest, ShareFetchResponse>(
            new()
            {
                GroupId = "g",
                MemberId = "m",
                ShareSessionEpoch = epoch,
                MaxWaitMs = epoch == 0 ? 0 : 2000,
                MinBytes = 1,
                MaxRecords = 100,
                Topics =
                [
                    new()
                    {
                        TopicId = topic,
                        Partitions =
                        [
                            new()
                            {
                                AcknowledgementBatches =
                                [
                                    .. acknowledged.Select(a => new ShareFetchRequest.AcknowledgementBatch
                                    {
                                        FirstOffset = a.First,
                                        LastOffset = a.Last,
                                        AcknowledgeTypes = [a.Type],
                                    }),
                                ],
                            },
                        ],
                    },
                ],
            },
            1);

    private static (long, long, int)[] Acquired(ShareFetchResponse answer) =>
    [
        .. answer.Responses.SelectMany(t => t.Partitions).SelectMany(p => p.AcquiredRecords)
            .Select(a => (a.FirstOffset, a.LastOffset, (int)a.DeliveryCount)),
    ];
}
