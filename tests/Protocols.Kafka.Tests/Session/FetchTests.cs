using Pillarbox.Model.Records;
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
    public async Task Only_the_first_partition_with_records_goes_over_the_limit()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 2);
        for (int partition = 0; partition < 2; partition++)
        {
            await peer.AskAsync<ProduceRequest, ProduceResponse>(
                Requests.Produce("t", Requests.Batch(new string('x', 5_000)), partition: partition), 9);
        }

        FetchRequest request = Requests.Fetch("t", 0);
        request.MaxBytes = 100;
        request.Topics[0].Partitions = TwoPartitions();
        FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(request, LastWithNames);
        Assert.Equal([1, 0], answer.Responses[0].Partitions.Select(p => Requests.Values(p.Records).Length));
    }

    /// <summary>Else a busy partition at the front would leave nothing for the others.</summary>
    [Fact]
    public async Task A_session_goes_on_behind_the_partition_that_gave_records_last()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t", 2);
        for (int i = 0; i < 4; i++)
        {
            await peer.AskAsync<ProduceRequest, ProduceResponse>(
                Requests.Produce("t", Requests.Batch(new string('x', 5_000)), partition: i % 2), 9);
        }

        FetchRequest open = Requests.Fetch("t", 0);
        (open.SessionEpoch, open.MaxBytes) = (FetchSession.FirstEpoch, 100);
        open.Topics[0].Partitions = TwoPartitions();
        FetchResponse first = await peer.AskAsync<FetchRequest, FetchResponse>(open, LastWithNames);
        FetchResponse second = await peer.AskAsync<FetchRequest, FetchResponse>(
            new() { SessionId = first.SessionId, SessionEpoch = 1, MaxBytes = 100 }, LastWithNames);
        Assert.Equal([0, 1], new[] { first, second }.Select(answer => answer.Responses.SelectMany(t => t.Partitions)
            .First(p => Requests.Values(p.Records).Length > 0).PartitionIndex));
    }

    [Fact]
    public async Task A_session_tells_where_a_partition_ends_though_it_brings_no_records()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("a", "b")), 9);
        FetchRequest open = Requests.Fetch("t", 2);
        open.SessionEpoch = FetchSession.FirstEpoch;
        FetchResponse opened = await peer.AskAsync<FetchRequest, FetchResponse>(open, LastWithNames);
        await peer.AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 1 }] }] }, 2);
        FetchResponse news = await NextAsync(peer, opened.SessionId, 1);
        Assert.Equal(1, Assert.Single(Assert.Single(news.Responses).Partitions).LogStartOffset);
        Assert.Empty((await NextAsync(peer, opened.SessionId, 2)).Responses);
    }

    private static FetchRequest.FetchPartition[] TwoPartitions() =>
    [
        .. Enumerable.Range(0, 2)
            .Select(p => new FetchRequest.FetchPartition { Partition = p, PartitionMaxBytes = 1 << 20 }),
    ];

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

    /// <summary>A session is named once and grows; so many that it is too large end it, and the client names all
    /// again.</summary>
    [Fact]
    public async Task A_session_has_a_limit_however_slowly_it_grows()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        FetchRequest open = Requests.Fetch("t", 0);
        open.SessionEpoch = FetchSession.FirstEpoch;
        FetchResponse opened = await peer.AskAsync<FetchRequest, FetchResponse>(open, LastWithNames);
        const int Step = FetchSession.PartitionsMax / 2;
        ErrorCode[] errors = new ErrorCode[4];
        for (int i = 0; i < errors.Length; i++)
        {
            FetchRequest more = Named(i * Step, Step);
            (more.SessionId, more.SessionEpoch) = (opened.SessionId, i + 1);
            errors[i] = (ErrorCode)(await peer.AskAsync<FetchRequest, FetchResponse>(more, LastWithNames)).ErrorCode;
        }

        Assert.Equal(
            [
                ErrorCode.None, ErrorCode.None, ErrorCode.FetchSessionIdNotFound, ErrorCode.FetchSessionIdNotFound,
            ],
            errors);
        FetchRequest all = Named(0, FetchSession.PartitionsMax + 1);
        all.SessionEpoch = FetchSession.FirstEpoch;
        FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(all, LastWithNames);
        Assert.Equal((0, 0), (answer.ErrorCode, answer.SessionId));
    }

    [Fact]
    public async Task Committed_readers_get_what_is_decided_and_the_list_of_what_was_aborted()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        InitProducerIdResponse producer = await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "tx", TransactionTimeoutMs = 60_000 }, 4);
        await SendAsync(peer, producer, "aborted");
        await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("between")), 9);
        FetchRequest committed = Requests.Fetch("t", 0);
        committed.IsolationLevel = 1;
        FetchResponse before = await peer.AskAsync<FetchRequest, FetchResponse>(committed, LastWithNames);
        Assert.Equal((2L, 0L), Ends(before));
        Assert.Empty(Requests.Values(before.Responses[0].Partitions[0].Records));
        FetchResponse all = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0), LastWithNames);
        Assert.Equal(["aborted", "between"], Requests.Values(all.Responses[0].Partitions[0].Records));
        await peer.AskAsync<EndTxnRequest, EndTxnResponse>(
            new()
            {
                TransactionalId = "tx",
                ProducerId = producer.ProducerId,
                ProducerEpoch = producer.ProducerEpoch,
            },
            5);
        FetchResponse after;
        do
        {
            after = await peer.AskAsync<FetchRequest, FetchResponse>(committed, LastWithNames);
        }
        while (Ends(after).Stable < 3);

        FetchResponse.AbortedTransaction aborted = Assert.Single(
            after.Responses[0].Partitions[0].AbortedTransactions!);
        Assert.Equal((producer.ProducerId, 0L), (aborted.ProducerId, aborted.FirstOffset));
    }

    private static (long High, long Stable) Ends(FetchResponse answer) =>
        (answer.Responses[0].Partitions[0].HighWatermark, answer.Responses[0].Partitions[0].LastStableOffset);

    private static async Task SendAsync(KafkaPeer peer, InitProducerIdResponse producer, string value)
    {
        var options = new RecordBatchOptions
        {
            ProducerId = producer.ProducerId,
            ProducerEpoch = producer.ProducerEpoch,
            BaseSequence = 0,
            IsTransactional = true,
        };
        ProduceRequest request = Requests.Produce("t", Requests.Batch(options, value));
        request.TransactionalId = "tx";
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(request, 12);
        Assert.Equal(0, answer.Responses[0].PartitionResponses[0].ErrorCode);
    }

    private static FetchRequest Named(int from, int count) => new()
    {
        MinBytes = 0,
        Topics =
        [
            new()
            {
                Topic = "t",
                Partitions =
                [
                    .. Enumerable.Range(from, count).Select(p => new FetchRequest.FetchPartition { Partition = p }),
                ],
            },
        ],
    };

    private static Task<FetchResponse> NextAsync(KafkaPeer peer, int session, int epoch) =>
        peer.AskAsync<FetchRequest, FetchResponse>(
            new() { SessionId = session, SessionEpoch = epoch, MinBytes = 0 }, LastWithNames);
}
