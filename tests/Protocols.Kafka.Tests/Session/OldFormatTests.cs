using System.Buffers;
using System.Text;
using Pillarbox.Protocols.Kafka.MessageSets;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Clients from before record batches: what they produce is converted, and converted back when they fetch.
/// </summary>
public sealed class OldFormatTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public async Task A_message_set_is_read_by_new_and_old_clients(short produceVersion, byte magic)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        var set = new ArrayBufferWriter<byte>();
        MessageSetWriter.Convert(Requests.Batch("a", "b").Memory.Span, magic, 1 << 20, set);
        ProduceResponse produced = await peer.AskAsync<ProduceRequest, ProduceResponse>(
            Requests.Produce("t", new RecordBytes(set.WrittenMemory.ToArray())), produceVersion);
        Assert.Equal(0, produced.Responses[0].PartitionResponses[0].ErrorCode);

        FetchResponse now = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0), 12);
        Assert.Equal(["a", "b"], Requests.Values(now.Responses[0].Partitions[0].Records));
        foreach (short version in new short[] { 0, 1, 2, 3 })
        {
            FetchResponse old = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 0), version);
            ReadOnlyMemory<byte> records = old.Responses[0].Partitions[0].Records.Memory;
            Assert.Equal(["a", "b"], Messages(records.Span, version < 2 ? (byte)0 : (byte)1));
        }
    }

    /// <summary>These clients take whatever comes: only within a compressed message they look for where they were.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task An_old_client_gets_nothing_before_the_offset_that_it_asks_for(short version)
    {
        await using var scene = new KafkaScene();
        KafkaPeer peer = scene.Connect();
        await peer.CreateTopicAsync("t");
        await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("a", "b", "c")), 9);
        await peer.AskAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Requests.Batch("d")), 9);
        FetchResponse got = await peer.AskAsync<FetchRequest, FetchResponse>(Requests.Fetch("t", 2), version);
        Assert.Equal(
            ["c", "d"],
            Messages(got.Responses[0].Partitions[0].Records.Memory.Span, version < 2 ? (byte)0 : (byte)1));
    }

    private static string[] Messages(ReadOnlySpan<byte> set, byte magic)
    {
        var values = new List<string>();
        while (!set.IsEmpty)
        {
            Assert.True(OldMessage.TryRead(set, out OldMessage message));
            Assert.Equal(magic, message.Magic);
            values.Add(Encoding.UTF8.GetString(message.Value));
            set = set[message.Bytes.Length..];
        }

        return [.. values];
    }
}
