using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Transactions of the second version, in which Produce adds partitions and EndTxn gives a new epoch; and the
/// check of old clients.</summary>
public sealed class TransactionTests
{
    [Theory]
    [InlineData(true, new[] { "a", "b" })]
    [InlineData(false, new string[0])]
    public async Task A_transaction_of_version_2_ends_with_a_new_epoch(bool commit, string[] expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        InitProducerIdResponse producer = await InitAsync(peer);
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, producer, 12, 0, "a"));
        Assert.Equal(ErrorCode.None, await ProduceAsync(peer, producer, 12, 1, "b"));
        EndTxnResponse ended = await peer.AskAsync<EndTxnRequest, EndTxnResponse>(
            new()
            {
                TransactionalId = "tx",
                ProducerId = producer.ProducerId,
                ProducerEpoch = producer.ProducerEpoch,
                Committed = commit,
            },
            5);
        Assert.Equal(0, ended.ErrorCode);
        Assert.True(ended.ProducerId != producer.ProducerId || ended.ProducerEpoch > producer.ProducerEpoch);
        Assert.Equal(expected, await ReadCommittedAsync(peer));
    }

    [Fact]
    public async Task A_record_of_an_old_client_whose_partition_is_not_in_the_transaction_is_refused()
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        InitProducerIdResponse producer = await InitAsync(peer);
        Assert.Equal(ErrorCode.InvalidTxnState, await ProduceAsync(peer, producer, 8, 0, "a"));
        Assert.Equal(ErrorCode.TransactionAbortable, await ProduceAsync(peer, producer, 11, 0, "a"));
    }

    /// <summary>Old clients do not know that a producer can be fenced; they know that an epoch can be over.</summary>
    [Theory]
    [InlineData(1, 1, 1, nameof(ErrorCode.InvalidProducerEpoch))]
    [InlineData(2, 2, 2, nameof(ErrorCode.ProducerFenced))]
    public async Task A_fenced_producer_hears_so_in_the_words_of_its_version(
        short ofPartitions, short ofOffsets, short ofEnd, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        InitProducerIdResponse old = await InitAsync(peer);
        await InitAsync(peer);
        AddPartitionsToTxnResponse added = await peer.AskAsync<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(
            new()
            {
                V3AndBelowTransactionalId = "tx",
                V3AndBelowProducerId = old.ProducerId,
                V3AndBelowProducerEpoch = old.ProducerEpoch,
                V3AndBelowTopics = [new() { Name = "t", Partitions = [0] }],
            },
            ofPartitions);
        AddOffsetsToTxnResponse offsets = await peer.AskAsync<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(
            new()
            {
                TransactionalId = "tx",
                ProducerId = old.ProducerId,
                ProducerEpoch = old.ProducerEpoch,
                GroupId = "g",
            },
            ofOffsets);
        EndTxnResponse ended = await peer.AskAsync<EndTxnRequest, EndTxnResponse>(
            new() { TransactionalId = "tx", ProducerId = old.ProducerId, ProducerEpoch = old.ProducerEpoch }, ofEnd);
        short[] errors =
        [
            added.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode, offsets.ErrorCode,
            ended.ErrorCode,
        ];
        Assert.All(errors, error => Assert.Equal(expected, $"{(ErrorCode)error}"));
    }

    [Theory]
    [InlineData(3, nameof(ErrorCode.InvalidProducerEpoch))]
    [InlineData(4, nameof(ErrorCode.ProducerFenced))]
    public async Task A_fenced_producer_that_asks_for_a_new_epoch_hears_so_too(short version, string expected)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        InitProducerIdResponse old = await InitAsync(peer);
        await InitAsync(peer);
        await InitAsync(peer);
        InitProducerIdResponse refused = await peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new()
            {
                TransactionalId = "tx",
                TransactionTimeoutMs = 60_000,
                ProducerId = old.ProducerId,
                ProducerEpoch = old.ProducerEpoch,
            },
            version);
        Assert.Equal(expected, $"{(ErrorCode)refused.ErrorCode}");
    }

    private static Task<InitProducerIdResponse> InitAsync(KafkaPeer peer) =>
        peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "tx", TransactionTimeoutMs = 60_000 }, 4);

    private static async Task<ErrorCode> ProduceAsync(
        KafkaPeer peer, InitProducerIdResponse producer, short version, int sequence, string value)
    {
        var options = new RecordBatchOptions
        {
            ProducerId = producer.ProducerId,
            ProducerEpoch = producer.ProducerEpoch,
            BaseSequence = sequence,
            IsTransactional = true,
        };
        ProduceRequest request = Requests.Produce("t", Requests.Batch(options, value));
        request.TransactionalId = "tx";
        ProduceResponse answer = await peer.AskAsync<ProduceRequest, ProduceResponse>(request, version);
        return (ErrorCode)answer.Responses[0].PartitionResponses[0].ErrorCode;
    }

    // The marker follows the answer to EndTxn: reads until it is there.
    private static async Task<string[]> ReadCommittedAsync(KafkaPeer peer)
    {
        while (true)
        {
            FetchRequest request = Requests.Fetch("t", 0, waitMs: 100);
            request.IsolationLevel = 1;
            FetchResponse answer = await peer.AskAsync<FetchRequest, FetchResponse>(request, 12);
            FetchResponse.PartitionData partition = answer.Responses[0].Partitions[0];
            if (partition.LastStableOffset >= 3)
            {
                return partition.AbortedTransactions is { Length: > 0 } ? [] : Requests.Values(partition.Records);
            }
        }
    }
}
