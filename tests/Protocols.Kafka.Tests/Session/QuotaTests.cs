using Pillarbox.Broker.Quotas;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Quotas: set, kept, shown; who takes too much is answered at once and then not heard for a while.</summary>
public sealed class QuotaTests
{
    private const int Rate = 1000;
    private const int WindowMs = 10_000;

    [Fact]
    public async Task Who_writes_too_much_is_answered_at_once_and_then_not_heard()
    {
        var clock = new HandClock();
        await using var scene = new KafkaScene(time: clock);
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await SetAsync(peer, [("client-id", "test")], ("producer_byte_rate", Rate));
        ProduceRequest large = Requests.Produce("t", Requests.Batch(new string('x', 15_000)));
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(large, 9);
        Assert.Equal(0, answer.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.InRange(answer.ThrottleTimeMs, 5000, 5500);

        int asked = await peer.SendAsync(new ApiVersionsRequest(), 2);
        Task<ApiVersionsResponse> later = peer.TakeAsync<ApiVersionsResponse>(2, asked);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(later.IsCompleted);
        clock.Advance(answer.ThrottleTimeMs);
        Assert.Equal(0, (await later).ErrorCode);
        Assert.Contains(scene.Broker.Quotas.Of("default").Throttles(), t => t is
        {
            Kind: QuotaKind.ProducerBytes, Count: 1, TotalMs: >= 5000,
        });
    }

    [Fact]
    public async Task Who_reads_too_much_gets_its_records_and_is_then_not_heard()
    {
        var clock = new HandClock();
        await using var scene = new KafkaScene(time: clock);
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", Requests.Batch(new string('x', 15_000))), 9);
        await SetAsync(peer, [("user", "anonymous")], ("consumer_byte_rate", Rate));
        FetchResponse got = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0), 11);
        Assert.Single(Requests.Values(got.Responses[0].Partitions[0].Records));
        Assert.InRange(got.ThrottleTimeMs, 5000, 5500);
        clock.Advance(got.ThrottleTimeMs);
        FetchResponse end = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 1), 11);
        Assert.InRange(end.ThrottleTimeMs, 1, 200);
        clock.Advance(end.ThrottleTimeMs);
    }

    [Fact]
    public async Task An_answer_is_no_larger_than_what_a_reader_may_have_in_a_window()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        for (int i = 0; i < 5; i++)
        {
            await peer.AskAsync<ProduceRequest, ProduceResponse>(
                Requests.Produce("t", Requests.Batch(new string('x', 4000))), 9);
        }

        await SetAsync(peer, [("client-id", null)], ("consumer_byte_rate", Rate));
        FetchResponse got = await peer.AskAsync<FetchRequest, FetchResponse>(
            With(Requests.Fetch("t", 0), int.MaxValue), 11);
        Assert.InRange(Requests.Values(got.Responses[0].Partitions[0].Records).Length, 1, 3);
    }

    [Fact]
    public async Task Busy_clients_are_held_back_by_their_time()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await SetAsync(peer, [("user", null), ("client-id", null)], ("request_percentage", 1e-9));
        MetadataResponse answer = await peer.AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, 9);
        Assert.InRange(answer.ThrottleTimeMs, 1, WindowMs);
    }

    [Theory]
    [InlineData(6, nameof(ErrorCode.ThrottlingQuotaExceeded))]
    [InlineData(5, nameof(ErrorCode.None))]
    public async Task Making_topics_has_a_quota_that_new_clients_are_told_of(short version, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await SetAsync(peer, [("user", "anonymous")], ("controller_mutation_rate", 1));
        CreateTopicsResponse made = await peer.AskAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                Topics =
                [
                    new() { Name = "a", NumPartitions = 20, ReplicationFactor = 1 },
                    new() { Name = "b", NumPartitions = 1, ReplicationFactor = 1 },
                ],
            },
            version);
        Assert.Equal([nameof(ErrorCode.None), expected], made.Topics.Select(t => $"{(ErrorCode)t.ErrorCode}"));
        Assert.InRange(made.ThrottleTimeMs, 1, WindowMs);
    }

    [Fact]
    public async Task Quotas_are_shown_by_filter_and_there_after_a_restart()
    {
        var files = new Storage.MemoryFileSystem();
        await using (var before = new KafkaScene(files: files))
        {
            KafkaPeer peer = before.Connect();
            await SetAsync(peer, [("user", "a")], ("producer_byte_rate", 1));
            await SetAsync(peer, [("user", "a"), ("client-id", null)], ("producer_byte_rate", 2));
            await SetAsync(peer, [("client-id", "c")], ("consumer_byte_rate", 3), ("request_percentage", 4));
        }

        await using var scene = new KafkaScene(files: files);
        KafkaPeer again = scene.Connect();
        Assert.Equal(3, (await FindAsync(again, strict: false)).Length);
        Assert.Equal("1, 2", await ValuesAsync(again, false, ("user", 0, "a")));
        Assert.Equal("1", await ValuesAsync(again, true, ("user", 0, "a")));
        Assert.Equal("2", await ValuesAsync(again, true, ("user", 2, null), ("client-id", 1, null)));
        Assert.Equal("3, 4", await ValuesAsync(again, true, ("client-id", 2, null)));
        AlterClientQuotasResponse removed = await AlterAsync(
            again, [("user", "a")], [new() { Key = "producer_byte_rate", Remove = true }]);
        Assert.Equal(0, removed.Entries[0].ErrorCode);
        Assert.Equal("2", await ValuesAsync(again, false, ("user", 0, "a")));
    }

    [Theory]
    [InlineData("ip", "127.0.0.1", "producer_byte_rate", 1.0)]
    [InlineData("user", "a", "connection_creation_rate", 1.0)]
    [InlineData("user", "a", "producer_byte_rate", 0.0)]
    [InlineData("user", "", "producer_byte_rate", 1.0)]
    [InlineData("user", "a", "producer_byte_rate", double.NaN)]
    public async Task What_cannot_be_is_refused(string type, string name, string key, double value)
    {
        await using var scene = new KafkaScene();
        AlterClientQuotasResponse answer = await AlterAsync(
            scene.Connect(), [(type, name)], [new() { Key = key, Value = value }]);
        Assert.Equal((short)ErrorCode.InvalidRequest, answer.Entries[0].ErrorCode);
        Assert.NotNull(answer.Entries[0].ErrorMessage);
    }

    private static FetchRequest With(FetchRequest request, int bytesMax)
    {
        request.MaxBytes = bytesMax;
        return request;
    }

    private static async Task SetAsync(
        KafkaPeer peer, (string Type, string? Name)[] entity, params (string Key, double Value)[] values)
    {
        AlterClientQuotasResponse answer = await AlterAsync(
            peer, entity,
            [.. values.Select(v => new AlterClientQuotasRequest.OpData { Key = v.Key, Value = v.Value })]);
        Assert.Equal(0, answer.Entries[0].ErrorCode);
    }

    private static Task<AlterClientQuotasResponse> AlterAsync(
        KafkaPeer peer, (string Type, string? Name)[] entity, AlterClientQuotasRequest.OpData[] ops) =>
        peer.AskAsync<AlterClientQuotasRequest, AlterClientQuotasResponse>(
            new()
            {
                Entries =
                [
                    new()
                    {
                        Entity = Array.ConvertAll(entity, e => new AlterClientQuotasRequest.EntityData
                        {
                            EntityType = e.Type,
                            EntityName = e.Name,
                        }),
                        Ops = ops,
                    },
                ],
            },
            1);

    private static async Task<string> ValuesAsync(
        KafkaPeer peer, bool strict, params (string Type, sbyte Match, string? Name)[] filter) =>
        string.Join(
            ", ", (await FindAsync(peer, strict, filter)).SelectMany(e => e.Values).Select(v => v.Value).Order());

    private static async Task<DescribeClientQuotasResponse.EntryData[]> FindAsync(
        KafkaPeer peer, bool strict, params (string Type, sbyte Match, string? Name)[] filter)
    {
        DescribeClientQuotasResponse answer =
            await peer.AskAsync<DescribeClientQuotasRequest, DescribeClientQuotasResponse>(
                new()
                {
                    Strict = strict,
                    Components = Array.ConvertAll(filter, f => new DescribeClientQuotasRequest.ComponentData
                    {
                        EntityType = f.Type,
                        MatchType = f.Match,
                        Match = f.Name,
                    }),
                },
                1);
        Assert.Equal(0, answer.ErrorCode);
        return answer.Entries!;
    }
}
