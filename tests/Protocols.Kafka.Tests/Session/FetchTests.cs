using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Fetch: waiting, limits, sessions, ids.</summary>
public sealed class FetchTests
{
    private const short Newest = 18;
    private const short LastWithNames = 12;

    [Fact]
    public async Task A_waiting_fetch_is_answered_when_records_come()
    {
        await using var scene = new KafkaScene();
        KafkaPeer reader = scene.Connect();
        KafkaPeer writer = scene.Connect();
        await writer.CreateTopicAsync("t");
        int waiting = await reader.SendAsync(Requests.Fetch("t", 0, waitMs: 20_000), LastWithNames);
        await writer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("x")), 9);
        FetchResponse answer = await reader.TakeAsync<FetchResponse>(LastWithNames, waiting);
        Assert.Equal(["x"], Requests.Values(answer.Responses[0].Partitions[0].Records));
    }

    [Fact]
    public async Task The_first_batch_comes_whole_however_small_the_limit()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        string large = new('x', 50_000);
        await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch(large)), 9);
        await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("y")), 9);
        FetchRequest request = Requests.Fetch("t", 0);
        request.MaxBytes = 1;
        request.Topics[0].Partitions[0].PartitionMaxBytes = 1;
        FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(request, LastWithNames);
        Assert.Equal([large], Requests.Values(answer.Responses[0].Partitions[0].Records));
    }

    [Fact]
    public async Task Offsets_outside_of_the_log_are_out_of_range()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(
            Requests.Fetch("t", 7, waitMs: 20_000), LastWithNames);
        Assert.Equal((short)ErrorCode.OffsetOutOfRange, answer.Responses[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task An_id_of_a_deleted_topic_stays_unknown_when_its_name_is_used_again()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid first = await peer.CreateTopicAsync("t");
        await peer.AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "t" }] }, 6);
        Guid second = await peer.CreateTopicAsync("t");
        Assert.NotEqual(first, second);
        foreach ((Guid id, ErrorCode expected) in new[] { (first, ErrorCode.UnknownTopicId), (second, ErrorCode.None) })
        {
            FetchRequest request = Requests.Fetch("", 0);
            request.Topics[0].TopicId = id;
            FetchResponse fetched = await peer.AskAsync<FetchRequest, FetchResponse>(request, Newest);
            Assert.Equal((short)expected, fetched.Responses[0].Partitions[0].ErrorCode);
            ProduceRequest produce = Requests.Produce("", Requests.Batch("x"));
            produce.TopicData[0].TopicId = id;
            ProduceResponse produced = await peer.AskAsync<ProduceRequest, ProduceResponse>(produce, 13);
            Assert.Equal((short)expected, produced.Responses[0].PartitionResponses[0].ErrorCode);
        }
    }

    [Fact]
    public async Task A_session_answers_only_what_is_new()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 3);
        FetchRequest open = Requests.Fetch("t", 0);
        open.SessionEpoch = FetchSession.FirstEpoch;
        open.Topics[0].Partitions =
        [
            .. Enumerable.Range(0, 3)
                .Select(p => new FetchRequest.FetchPartition { Partition = p, PartitionMaxBytes = 1 << 20 }),
        ];
        FetchResponse opened = await peer.AskAsync<FetchRequest, FetchResponse>(open, LastWithNames);
        Assert.NotEqual(0, opened.SessionId);
        Assert.Equal(3, opened.Responses[0].Partitions.Length);

        Assert.Empty((await NextAsync(peer, opened.SessionId, 1)).Responses);
        await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", Requests.Batch("x"), partition: 1), 9);
        FetchResponse news = await NextAsync(peer, opened.SessionId, 2);
        FetchResponse.PartitionData only = Assert.Single(Assert.Single(news.Responses).Partitions);
        Assert.Equal(1, only.PartitionIndex);
        Assert.Equal(["x"], Requests.Values(only.Records));
    }

    [Fact]
    public async Task A_session_that_is_not_there_or_not_in_step_is_refused()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        FetchResponse unknown = await NextAsync(peer, 12345, 1);
        Assert.Equal((short)ErrorCode.FetchSessionIdNotFound, unknown.ErrorCode);
        FetchRequest open = Requests.Fetch("t", 0);
        open.SessionEpoch = FetchSession.FirstEpoch;
        FetchResponse opened = await peer.AskAsync<FetchRequest, FetchResponse>(open, LastWithNames);
        FetchResponse ahead = await NextAsync(peer, opened.SessionId, 5);
        Assert.Equal((short)ErrorCode.InvalidFetchSessionEpoch, ahead.ErrorCode);
    }

    private static Task<FetchResponse> NextAsync(KafkaPeer peer, int session, int epoch) =>
        peer.AskAsync<FetchRequest, FetchResponse>(
            new() { SessionId = session, SessionEpoch = epoch, MinBytes = 0 }, LastWithNames);
}
