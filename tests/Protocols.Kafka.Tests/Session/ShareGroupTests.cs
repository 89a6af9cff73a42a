using Pillarbox.Model.Records;
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
    public async Task A_group_may_begin_with_the_first_record_that_is_there()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("a", "b")), 9);
        Assert.Equal((ErrorCode.None, null), await AlterAsync(peer, "g", "share.auto.offset.reset", "earliest"));
        await peer.AskAsync<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse>(
            new() { GroupId = "g", MemberId = "m", SubscribedTopicNames = ["t"] }, 1);
        Assert.Equal([(0L, 1L, 1)], Acquired(await FetchAsync(peer, topic, 0)));
    }

    /// <summary>Records of an hour ago, of ten minutes ago, and of now.</summary>
    [Theory]
    [InlineData("by_duration:PT30M", 1)]
    [InlineData("by_duration:P1D", 0)]
    [InlineData("by_duration:PT0S", 3)]
    public async Task A_group_may_begin_some_time_ago(string start, long expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        long nowMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        foreach (long agoMs in (long[])[3_600_000, 600_000, 1_000])
        {
            await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", OfTime(nowMs - agoMs)), 9);
        }

        Assert.Equal((ErrorCode.None, null), await AlterAsync(peer, "g", "share.auto.offset.reset", start));
        await JoinAsync(peer);
        (long, long, int)[] got = Acquired(await FetchAsync(peer, topic, 0));
        if (expected == 3)
        {
            Assert.Empty(got);
            await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("new")), 9);
            got = Acquired(await FetchAsync(peer, topic, 1));
        }

        Assert.Equal(expected, got[0].Item1);
    }

    /// <summary>One transaction is aborted, one is committed, one is open: of the first and the last nothing comes, nor
    /// what stands behind the open one.</summary>
    [Theory]
    [InlineData("read_committed", new[] { "before", "good", "between" })]
    [InlineData("read_uncommitted", new[] { "before", "bad", "good", "between", "open", "behind" })]
    public async Task A_group_may_get_only_what_is_committed(string level, string[] expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        await AlterAsync(peer, "g", "share.auto.offset.reset", "earliest");
        Assert.Equal((ErrorCode.None, null), await AlterAsync(peer, "g", "share.isolation.level", level));
        await ProduceAsync(peer, Requests.Batch("before"));
        await TransactAsync(peer, "one", commit: false, "bad");
        await TransactAsync(peer, "two", commit: true, "good");
        await ProduceAsync(peer, Requests.Batch("between"));
        await TransactAsync(peer, "three", commit: null, "open");
        await ProduceAsync(peer, Requests.Batch("behind"));
        await JoinAsync(peer);
        ShareFetchResponse answer = await FetchAsync(peer, topic, 0);
        Assert.Equal(expected, ValuesOf(answer));
    }

    /// <summary>Nothing but aborted records, more than one read brings, and one that is good behind them: it comes at
    /// once.</summary>
    [Fact]
    public async Task Much_that_was_aborted_keeps_nobody_waiting()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        await AlterAsync(peer, "g", "share.auto.offset.reset", "earliest");
        await AlterAsync(peer, "g", "share.isolation.level", "read_committed");
        string large = new('x', 700_000);
        await TransactAsync(peer, "one", commit: false, large, large, large, large, large, large);
        await ProduceAsync(peer, Requests.Batch("good"));
        await JoinAsync(peer);
        ShareFetchResponse answer = await FetchAsync(peer, topic, 0);
        Assert.Equal(["good"], ValuesOf(answer));
    }

    /// <summary>Nobody waits for the locks of a client that was killed; one that has come back by another connection
    /// keeps what it has.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_member_has_is_free_when_its_connection_is_gone(bool isBack)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        await AlterAsync(peer, "g", "share.auto.offset.reset", "earliest");
        await ProduceAsync(peer, Requests.Batch("a"));
        await JoinAsync(peer);
        KafkaPeer lost = scene.Connect();
        Assert.Equal([(0L, 0L, 1)], Acquired(await FetchAsync(lost, topic, 0)));
        KafkaPeer back = scene.Connect();
        if (isBack)
        {
            Assert.Empty(Acquired(await FetchAsync(back, topic, 0)));
        }

        await lost.DisposeAsync();
        ShareFetchResponse next = await peer.AskAsync<ShareFetchRequest, ShareFetchResponse>(
            new()
            {
                GroupId = "g",
                MemberId = "other",
                MaxWaitMs = isBack ? 0 : 20_000,
                MaxRecords = 10,
                Topics = [new() { TopicId = topic, Partitions = [new()] }],
            },
            1);
        Assert.Equal(isBack ? [] : [(0L, 0L, 2)], Acquired(next));
    }

    [Fact]
    public async Task A_request_that_only_renews_locks_brings_nothing_and_says_how_long_they_last()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Guid topic = await peer.CreateTopicAsync("t");
        await AlterAsync(peer, "g", "share.auto.offset.reset", "earliest");
        await AlterAsync(peer, "g", "share.record.lock.duration.ms", "12345");
        await ProduceAsync(peer, Requests.Batch("a"));
        await JoinAsync(peer);
        ShareFetchResponse first = await FetchAsync(peer, topic, 0);
        Assert.Equal(12_345, first.AcquisitionLockTimeoutMs);
        await ProduceAsync(peer, Requests.Batch("b"));
        ShareFetchResponse renewed = await peer.AskAsync<ShareFetchRequest, ShareFetchResponse>(
            new()
            {
                GroupId = "g",
                MemberId = "m",
                ShareSessionEpoch = 1,
                IsRenewAck = true,
                MaxBytes = 0,
                Topics = [new() { TopicId = topic, Partitions = [Renewing()] }],
            },
            2);
        Assert.Equal((0, 12_345), (renewed.ErrorCode, renewed.AcquisitionLockTimeoutMs));
        Assert.Equal(0, renewed.Responses[0].Partitions[0].AcknowledgeErrorCode);
        Assert.Empty(Acquired(renewed));
        ShareAcknowledgeResponse done = await peer.AskAsync<ShareAcknowledgeRequest, ShareAcknowledgeResponse>(
            new()
            {
                GroupId = "g",
                MemberId = "m",
                ShareSessionEpoch = 2,
                Topics =
                [
                    new()
                    {
                        TopicId = topic,
                        Partitions =
                        [
                            new() { AcknowledgementBatches = [new() { AcknowledgeTypes = [1] }] },
                        ],
                    },
                ],
            },
            2);
        Assert.Equal((0, 12_345), (done.ErrorCode, done.AcquisitionLockTimeoutMs));
        Assert.Equal(0, done.Responses[0].Partitions[0].ErrorCode);
        Assert.Equal([(1L, 1L, 1)], Acquired(await FetchAsync(peer, topic, 3)));

        static ShareFetchRequest.FetchPartition Renewing() =>
            new() { AcknowledgementBatches = [new() { AcknowledgeTypes = [4] }] };
    }

    [Fact]
    public async Task Settings_of_groups_are_shown_with_where_they_come_from()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        Assert.Equal(
            ["latest 5", "45000 5"],
            await DescribeAsync(peer, "share.auto.offset.reset", "consumer.session.timeout.ms"));
        await AlterAsync(peer, "g", "share.auto.offset.reset", "earliest");
        Assert.Equal(
            ["earliest 8", "45000 5"],
            await DescribeAsync(peer, "share.auto.offset.reset", "consumer.session.timeout.ms"));
        (ErrorCode error, string? message) = await AlterAsync(peer, "g", "retention.ms", "1");
        Assert.Equal(ErrorCode.InvalidConfig, error);
        Assert.Contains("retention.ms", message, StringComparison.Ordinal);
        ListConfigResourcesResponse listed =
            await peer.AskAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(
                new() { ResourceTypes = [ConfigResources.Group] }, 1);
        Assert.Equal(["g"], listed.ConfigResources.Select(r => r.ResourceName));
    }

    private static async Task ProduceAsync(KafkaPeer peer, RecordBytes batch) => Assert.Equal(
        0,
        (await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", batch), 9))
            .Responses[0].PartitionResponses[0].ErrorCode);

    private static Task JoinAsync(KafkaPeer peer) =>
        peer.AskAsync<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse>(
            new() { GroupId = "g", MemberId = "m", SubscribedTopicNames = ["t"] }, 1);

    // Each value in a batch of its own; null: the transaction stays open.
    private static async Task TransactAsync(KafkaPeer peer, string id, bool? commit, params string[] values)
    {
        InitProducerIdResponse producer = await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = id, TransactionTimeoutMs = 60_000 }, 4);
        for (int i = 0; i < values.Length; i++)
        {
            RecordBatchOptions options = new()
            {
                ProducerId = producer.ProducerId,
                ProducerEpoch = producer.ProducerEpoch,
                BaseSequence = i,
                IsTransactional = true,
            };
            ProduceRequest request = Requests.Produce("t", Requests.Batch(options, values[i]));
            request.TransactionalId = id;
            ProduceResponse produced = await peer.AskAsync<ProduceRequest, ProduceResponse>(request, 12);
            Assert.Equal(0, produced.Responses[0].PartitionResponses[0].ErrorCode);
        }

        if (commit is { } committed)
        {
            EndTxnResponse ended = await peer.AskAsync<EndTxnRequest, EndTxnResponse>(
                new()
                {
                    TransactionalId = id,
                    ProducerId = producer.ProducerId,
                    ProducerEpoch = producer.ProducerEpoch,
                    Committed = committed,
                },
                5);
            Assert.Equal(0, ended.ErrorCode);
        }
    }

    private static RecordBytes OfTime(long timeMs)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(new RecordBatchOptions());
        builder.Add(timeMs, [], "value"u8);
        return new RecordBytes(builder.Finish().ToArray());
    }

    // What a client makes of it: the records that it was given, without markers.
    private static string[] ValuesOf(ShareFetchResponse answer)
    {
        ShareFetchResponse.PartitionData partition = answer.Responses[0].Partitions[0];
        List<string> values = [];
        ReadOnlySpan<byte> rest = partition.Records.Memory.Span;
        while (RecordBatch.TryRead(rest, out RecordBatch batch) == RecordBatchFault.None)
        {
            rest = rest[batch.SizeBytes..];
            var reader = new RecordReader(batch.Records, batch.Count);
            while (!batch.IsControl && reader.TryRead(out StreamRecord record))
            {
                long offset = batch.BaseOffset + record.OffsetDelta;
                if (partition.AcquiredRecords.Any(run => run.FirstOffset <= offset && offset <= run.LastOffset))
                {
                    values.Add(System.Text.Encoding.UTF8.GetString(record.Value));
                }
            }
        }

        return [.. values];
    }

    private static async Task<(ErrorCode Error, string? Message)> AlterAsync(
        KafkaPeer peer, string group, string name, string value)
    {
        IncrementalAlterConfigsResponse altered =
            await peer.AskAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new()
                {
                    Resources =
                    [
                        new()
                        {
                            ResourceType = ConfigResources.Group,
                            ResourceName = group,
                            Configs = [new() { Name = name, Value = value }],
                        },
                    ],
                },
                1);
        return ((ErrorCode)altered.Responses[0].ErrorCode, altered.Responses[0].ErrorMessage);
    }

    private static async Task<string[]> DescribeAsync(KafkaPeer peer, params string[] names)
    {
        DescribeConfigsResponse shown = await peer.AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = ConfigResources.Group, ResourceName = "g" }] }, 4);
        Assert.Equal(0, shown.Results[0].ErrorCode);
        return [.. names.Select(name => Array.Find(shown.Results[0].Configs, c => c.Name == name)!)
            .Select(c => $"{c.Value} {c.ConfigSource}")];
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

    [Theory]
    [InlineData(8193, 1)]
    [InlineData(1, 257)]
    public async Task Names_that_are_too_long_are_refused(int groupChars, int memberChars)
    {
        await using var scene = new KafkaScene();
        ShareFetchResponse answer = await scene.Connect().AskAsync<ShareFetchRequest, ShareFetchResponse>(
            new() { GroupId = new string('g', groupChars), MemberId = new string('m', memberChars) }, 1);
        Assert.Equal((short)ErrorCode.InvalidRequest, answer.ErrorCode);
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
