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
