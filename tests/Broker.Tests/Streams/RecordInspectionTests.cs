using System.Text;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Looking at records without a group, as operators do: who has seen all that is decided waits.</summary>
public sealed class RecordInspectionTests
{
    /// <summary>A reader that is behind the first record of an open transaction must not be answered at once, again and
    /// again.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_reader_within_an_open_transaction_waits_until_it_is_decided(long from)
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        var transaction = new RecordBatchOptions
        {
            ProducerId = 1,
            ProducerEpoch = 0,
            BaseSequence = 0,
            IsTransactional = true,
        };
        AppendResult result = partition.Append(
            scene.Batch(transaction, "t0", "t1", "t2").Span, new AppendOptions());
        Assert.Equal(StreamError.None, result.Error);
        scene.Broker.Pump();
        Assert.Equal((0, 3), (partition.LastStableOffset, partition.HighWatermark));

        Task<RecordsView> waiting = ReadAsync(scene, from);
        Assert.False(waiting.IsCompleted);
        scene.Append(partition, "after");
        Assert.False(waiting.IsCompleted);
        partition.EndTransaction(1, 0, new EndTransactionMarker(true, 0), isTransactionV2: false);
        scene.Broker.Pump();
        RecordsView found = await waiting;
        string[] all = ["t0", "t1", "t2", "after"];
        Assert.Equal(all[(int)from..], found.Records.Select(r => Encoding.UTF8.GetString(r.Value!)));
        Assert.Equal(5, found.Positions[0].Offset);
    }

    [Fact]
    public async Task A_reader_at_the_end_waits_for_a_record()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        scene.Append(partition, "old");
        Task<RecordsView> waiting = ReadAsync(scene, 1);
        Assert.False(waiting.IsCompleted);
        scene.Append(partition, "new");
        Assert.Equal("new", Encoding.UTF8.GetString(Assert.Single((await waiting).Records).Value!));
    }

    private static Task<RecordsView> ReadAsync(StreamScene scene, long offset) =>
        scene.Broker.StreamManagement.ReadAsync(
            Identity.Node, "default", "readings",
            new RecordInspectionOptions { Positions = [new ReadPosition(0, offset)], WaitMs = 20_000 },
            CancellationToken.None);
}
