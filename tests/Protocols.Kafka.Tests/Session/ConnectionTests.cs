using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>What holds for every API: order, versions, limits, ends.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task An_unknown_version_of_ApiVersions_is_answered_in_version_0()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.SendFrameAsync([0, 18, 0, 99, 0, 0, 0, 5, 0, 1, (byte)'x', 1, 2, 3]);
        ApiVersionsResponse answer = await peer.TakeAsync<ApiVersionsResponse>(0, 5);
        Assert.Equal((short)ErrorCode.UnsupportedVersion, answer.ErrorCode);
        Assert.Contains(answer.ApiKeys, k => k is { ApiKey: 18, MinVersion: 0, MaxVersion: >= 4 });
        ApiVersionsResponse again = await peer.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(
            new() { ClientSoftwareName = "test", ClientSoftwareVersion = "1" }, 3);
        Assert.Equal(0, again.ErrorCode);
    }

    [Fact]
    public async Task Old_versions_are_offered_from_0()
    {
        await using var scene = new KafkaScene();
        ApiVersionsResponse answer = await scene.Connect()
            .AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0);
        Assert.All(answer.ApiKeys.Where(k => k.ApiKey <= 26), k => Assert.Equal(0, k.MinVersion));
        Assert.Equal(answer.ApiKeys.Length, answer.ApiKeys.DistinctBy(k => k.ApiKey).Count());
    }

    [Fact]
    public async Task Features_without_a_least_level_are_hidden_before_version_4()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        var request = new ApiVersionsRequest { ClientSoftwareName = "test", ClientSoftwareVersion = "1" };
        Assert.Empty((await peer.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(request, 3)).SupportedFeatures);
        Assert.NotEmpty((await peer.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(request, 4)).SupportedFeatures);
    }

    [Fact]
    public async Task Answers_come_in_the_order_of_the_requests()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        int slow = await peer.SendAsync(Requests.Fetch("t", 0, waitMs: 300), 11);
        int produce = await peer.SendAsync(Requests.Produce("t", Requests.Batch("a")), 8);
        int quick = await peer.SendAsync(new MetadataRequest { Topics = null }, 9);
        FetchResponse fetched = await peer.TakeAsync<FetchResponse>(11, slow);
        Assert.Equal(["a"], Requests.Values(fetched.Responses[0].Partitions[0].Records));
        await peer.TakeAsync<ProduceResponse>(8, produce);
        await peer.TakeAsync<MetadataResponse>(9, quick);
    }

    // Else each of its fetches would keep another stretch of the log's newest bytes in memory.
    [Fact]
    public async Task Of_a_peer_that_does_not_read_no_more_is_begun_than_answers_may_hold()
    {
        await using var scene = new KafkaScene(new KafkaOptions { AnswerBytesMax = 100_000 });
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", Requests.Batch(new string('x', 300_000))), 8);
        int[] fetches =
        [
            await peer.SendAsync(Requests.Fetch("t", 0), 11), await peer.SendAsync(Requests.Fetch("t", 0), 11),
        ];
        int produce = await peer.SendAsync(Requests.Produce("t", Requests.Batch("behind them")), 8);
        await Task.Delay(300);
        KafkaPeer other = scene.Connect();
        FetchResponse early = await other.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 1, waitMs: 0), 11);
        Assert.Equal(1, early.Responses[0].Partitions[0].HighWatermark);
        foreach (int fetch in fetches)
        {
            FetchResponse got = await peer.TakeAsync<FetchResponse>(11, fetch);
            Assert.Single(Requests.Values(got.Responses[0].Partitions[0].Records));
        }

        ProduceResponse last = await peer.TakeAsync<ProduceResponse>(8, produce);
        Assert.Equal(1, last.Responses[0].PartitionResponses[0].BaseOffset);
    }

    /// <summary>The same requests one by one: nobody holds more of them than it may.</summary>
    [Fact]
    public async Task With_many_bytes_of_requests_unanswered_no_more_are_read()
    {
        await using var scene = new KafkaScene(new KafkaOptions { PipelineBytesMax = 1 });
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        int slow = await peer.SendAsync(Requests.Fetch("t", 0, waitMs: 300), 11);
        int produce = await peer.SendAsync(Requests.Produce("t", Requests.Batch("a")), 8);
        FetchResponse fetched = await peer.TakeAsync<FetchResponse>(11, slow);
        Assert.Empty(Requests.Values(fetched.Responses[0].Partitions[0].Records));
        ProduceResponse produced = await peer.TakeAsync<ProduceResponse>(8, produce);
        Assert.Equal(0, produced.Responses[0].PartitionResponses[0].BaseOffset);
    }

    [Fact]
    public async Task Produce_with_acks_0_has_no_answer()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await peer.SendAsync(Requests.Produce("t", Requests.Batch("a"), acks: 0), 7);
        ProduceResponse second = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", Requests.Batch("b"), acks: 1), 7);
        Assert.Equal(1, second.Responses[0].PartitionResponses[0].BaseOffset);
    }

    [Fact]
    public async Task Produce_with_acks_0_that_fails_ends_the_connection()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.SendAsync(Requests.Produce("missing", Requests.Batch("a"), acks: 0), 7);
        await peer.AssertEndedAsync();
    }

    [Theory]
    [InlineData("0003 0063 00000001 ffff")] // a version that is not there
    [InlineData("7fff 0000 00000001 ffff")] // an API that is not there
    [InlineData("ffff 0000 00000001 ffff")]
    [InlineData("0003 0001 00000001 ffff 7fffffff")] // an array that is not there
    [InlineData("0003 0001 00000001 ffff ffffffff 00")] // a byte too many
    [InlineData("0003")]
    public async Task Bytes_that_make_no_sense_end_the_connection(string hex)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.SendFrameAsync(Convert.FromHexString(hex.Replace(" ", "")));
        await peer.AssertEndedAsync();
        await scene.Connect().AskAsync<MetadataRequest, MetadataResponse>(new(), 1);
    }

    [Fact]
    public async Task Who_must_log_in_may_ask_for_versions_and_nothing_else()
    {
        await using var scene = new KafkaScene(new KafkaOptions { AllowAnonymous = false });
        KafkaPeer peer = scene.Connect();
        await peer.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 1);
        await peer.SendAsync(new MetadataRequest(), 1);
        await peer.AssertEndedAsync();
    }

    [Fact]
    public async Task Bare_tokens_follow_a_handshake_of_version_0()
    {
        await using var scene = new KafkaScene(new KafkaOptions { AllowAnonymous = false, AllowAnyPassword = true });
        KafkaPeer peer = scene.Connect();
        SaslHandshakeResponse offered = await peer.AskAsync<SaslHandshakeRequest, SaslHandshakeResponse>(
            new() { Mechanism = "PLAIN" }, 0);
        Assert.Equal(["PLAIN"], offered.Mechanisms);
        await peer.SendFrameAsync([.. "\0alice\0secret"u8]);
        byte[]? token = await peer.TakeFrameAsync();
        Assert.Equal(0, token?.Length);
        await peer.AskAsync<MetadataRequest, MetadataResponse>(new(), 1);
    }

    [Fact]
    public async Task An_unknown_mechanism_is_refused_with_the_known_ones()
    {
        await using var scene = new KafkaScene(new KafkaOptions { AllowAnyPassword = true });
        SaslHandshakeResponse answer = await scene.Connect().AskAsync<SaslHandshakeRequest, SaslHandshakeResponse>(
            new() { Mechanism = "GSSAPI" }, 1);
        Assert.Equal((short)ErrorCode.UnsupportedSaslMechanism, answer.ErrorCode);
        Assert.Equal(["PLAIN"], answer.Mechanisms);
    }
}
