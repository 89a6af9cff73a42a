using System.Buffers;
using System.Text;
using Pillarbox.Broker.Streams;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Retained messages are a stream of last values, too.</summary>
public sealed class RetainedStreamTests
{
    private static readonly MqttOptions Options = new() { AllowAnyPassword = true, RetainedStream = "last.values" };

    [Fact]
    public async Task Each_retained_message_is_a_record_under_its_topic_and_one_taken_away_has_no_value()
    {
        await using var scene = new MqttScene(Options);
        MqttPeer from = await scene.ConnectAsync("from");
        ushort id = await from.SendPublishAsync(
            "a/b", "1", 1, retain: true, with: to => to.Add(PropertyId.ContentType, "text/x"u8));
        Assert.Equal(ReasonCode.Success, Taken(await from.ExpectAckAsync(PacketType.PubAck, id)));
        await from.PublishAsync("c", "2", 2, retain: true);
        await from.PublishAsync("a/b", "3", 1, retain: true);
        await from.PublishAsync("not/retained", "4", 1);
        await from.PublishAsync("c", "", 1, retain: true);
        Assert.Equal(["a/b=1", "c=2", "a/b=3", "c="], Read(scene, out bool hasContentType));
        Assert.True(hasContentType);
        Assert.True(scene.Broker.Streams.Find("last.values")!.Config.IsCompacted);
        MqttPeer to = await scene.ConnectAsync("to");
        await to.SubscribeAsync("a/b", 0);
        Assert.Equal("3", (await to.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task What_was_retained_before_is_in_it_and_it_goes_on_after_a_restart()
    {
        await using var scene = new MqttScene();
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("x", "1", 1, retain: true);
        await from.PublishAsync("y", "2", 1, retain: true);
        await scene.RestartAsync(Options);
        from = await scene.ConnectAsync("from");
        await from.PublishAsync("z", "3", 1, retain: true);
        await scene.RestartAsync(Options);
        from = await scene.ConnectAsync("from");
        await from.PublishAsync("y", "4", 1, retain: true);
        Assert.Equal(["x=1", "y=2", "y=4", "z=3"], Read(scene, out _).Order());
        MqttPeer to = await scene.ConnectAsync("to");
        await to.SubscribeAsync("#", 0);
        List<string> got = [];
        for (int i = 0; i < 3; i++)
        {
            Received one = await to.TakePublishAsync();
            got.Add($"{one.Topic}={one.Body}");
        }

        Assert.Equal(["x=1", "y=4", "z=3"], got.Order());
    }

    // Whether anybody listens is another matter.
    private static ReasonCode Taken(ReasonCode reason) =>
        reason == ReasonCode.NoMatchingSubscribers ? ReasonCode.Success : reason;

    private static List<string> Read(MqttScene scene, out bool hasContentType)
    {
        List<string> found = [];
        hasContentType = false;
        Partition partition = scene.Broker.Streams.Find("last.values")!.Partitions[0];
        using var read = new StreamRead();
        for (long offset = 0; offset < partition.HighWatermark;)
        {
            var options = new ReadOptions { BytesMax = 1 << 20, AtLeastOneBatch = true };
            Assert.Equal(StreamError.None, partition.Read(offset, options, read));
            offset = Add(read, offset, found, ref hasContentType);
        }

        return found;
    }

    private static long Add(StreamRead read, long offset, List<string> found, ref bool hasContentType)
    {
        var bytes = new ArrayBufferWriter<byte>();
        read.CopyTo(bytes);
        for (ReadOnlySpan<byte> rest = bytes.WrittenSpan; !rest.IsEmpty;)
        {
            Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(rest, out RecordBatch batch));
            rest = rest[batch.SizeBytes..];
            offset = batch.NextOffset;
            var records = new RecordReader(batch.Records, batch.Count);
            while (!batch.IsControl && records.TryRead(out StreamRecord record))
            {
                found.Add($"{Encoding.UTF8.GetString(record.Key)}={Encoding.UTF8.GetString(record.Value)}");
                hasContentType |= record.Headers.IndexOf("text/x"u8) >= 0;
                Assert.Equal(found[^1][^1] == '=', !record.HasValue);
            }
        }

        return offset;
    }
}
