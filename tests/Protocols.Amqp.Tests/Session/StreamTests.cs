using System.Text;
using Pillarbox.Broker.Streams;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Streams as sources and targets of links.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly AmqpScene _scene = new(
        configure: options => options with { ContentMaps = [new AmqpContentMap()] });

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData("first", 0)]
    [InlineData("last", 4)]
    [InlineData("next", 5)]
    [InlineData("1h", 0)]
    [InlineData("999999999Y", 0)]
    public void Word_says_where_to_begin(string word, int first) =>
        Assert.Equal(Expected(first), Read(Filter("rabbitmq:stream-offset-spec", AmqpValue.String(word))));

    [Fact]
    public void Offset_says_where_to_begin() =>
        Assert.Equal(Expected(2), Read(Filter("rabbitmq:stream-offset-spec", AmqpValue.ULong(2))));

    [Fact]
    public void Time_says_where_to_begin()
    {
        long timeMs = _scene.Clock.GetUtcNow().ToUnixTimeMilliseconds() + 3000;
        Assert.Equal(Expected(3), Read(Filter("rabbitmq:stream-offset-spec", AmqpValue.Timestamp(timeMs))));
    }

    [Theory]
    [InlineData("amqp.annotation.x-opt-offset > '2'", 3)]
    [InlineData("amqp.annotation.x-opt-offset >= '2'", 2)]
    [InlineData("amqp.annotation.x-opt-offset > '-1'", 0)]
    [InlineData("amqp.annotation.x-opt-offset > '@latest'", 5)]
    [InlineData("amqp.annotation.x-opt-sequence-number > 3", 4)]
    [InlineData("amqp.annotation.x-opt-enqueued-time > '0'", 0)]
    public void Selector_over_annotations_says_where_to_begin(string selector, int first)
    {
        var filters = new AmqpMap();
        filters.AddSymbol(
            "apache.org:selector-filter:string",
            AmqpValue.Described(Descriptors.SelectorFilter, AmqpValue.String(selector)));
        Assert.Equal(Expected(first), Read(filters));
    }

    [Fact]
    public void Start_that_cannot_be_understood_is_refused()
    {
        Make();
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(
            0, new Source { Address = "s", Filter = Filter("rabbitmq:stream-offset-spec", "yesterday") })));
        peer.Next(Attach.DescriptorCode);
        Assert.Equal(
            AmqpErrorCondition.InvalidField, peer.Next(Detach.DescriptorCode).AsDetach().Error!.Condition);
    }

    [Fact]
    public void Filters_in_force_are_answered()
    {
        Make();
        AmqpPeer peer = _scene.InSession();
        AmqpMap filters = Filter("rabbitmq:stream-offset-spec", "first");
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "s", Filter = filters })));
        Source answer = peer.Next(Attach.DescriptorCode).AsAttach().Source!;
        Assert.Equal((filters, DistributionMode.Copy), (answer.Filter, answer.DistributionMode));
    }

    [Fact]
    public void Record_of_a_client_of_streams_has_a_sensible_form()
    {
        RecordStream stream = Make(records: 0);
        long timeMs = _scene.Clock.GetUtcNow().ToUnixTimeMilliseconds() - 1000;
        var builder = new RecordBatchBuilder();
        builder.Add(new RecordContent
        {
            TimestampMs = timeMs,
            HasKey = true,
            Key = "k"u8,
            HasValue = true,
            Value = "v"u8,
            HeaderCount = 1,
            Headers = RecordBatchBuilder.EncodeHeaders([("h"u8.ToArray(), "x"u8.ToArray())]),
        });
        stream.Partitions[0].Append(builder.Finish().Span, new AppendOptions());
        AmqpMessage message = Assert.Single(ReadMessages(Filter("rabbitmq:stream-offset-spec", "first")));
        AmqpMap annotations = message.MessageAnnotations!;
        Assert.Equal("v", Encoding.UTF8.GetString(message.Data.Span));
        Assert.Equal(BodyKind.Data, message.BodyKind);
        Assert.Equal("x", message.ApplicationProperties!.Single().Value.AsText());
        Assert.Equal("k", Get(annotations, "x-opt-partition-key").AsText());
        Assert.Equal("0", Get(annotations, "x-opt-offset").AsText());
        Assert.Equal(AmqpValue.Long(0), Get(annotations, "x-opt-sequence-number"));
        Assert.Equal(AmqpValue.Timestamp(timeMs), Get(annotations, "x-opt-enqueued-time"));
        Assert.Equal(AmqpValue.Int(0), Get(annotations, "x-opt-partition"));
    }

    [Fact]
    public void Message_comes_back_as_it_was_and_is_a_sensible_record()
    {
        RecordStream stream = Make(records: 0, partitions: 1);
        var properties = new AmqpMap();
        properties.Add("number", AmqpValue.Short(7));
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-partition-key", "key");
        var sent = new AmqpMessage
        {
            MessageAnnotations = annotations,
            Properties = new MessageProperties { MessageId = AmqpValue.ULong(5), To = "s", Subject = "t" },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = "text",
        };
        Send("s", sent.ToArray());
        StreamRecordText record = ReadRecord(stream.Partitions[0]);
        Assert.Equal(("key", "text"), (record.Key, record.Value));
        Assert.Contains("number=7", record.Headers, StringComparison.Ordinal);
        AmqpMessage back = Assert.Single(ReadMessages(Filter("rabbitmq:stream-offset-spec", "first")));
        Assert.Equal(sent.Properties, back.Properties);
        Assert.Equal(properties, back.ApplicationProperties);
        Assert.Equal(("text", BodyKind.Value), (back.Value.AsText(), back.BodyKind));
    }

    [Theory]
    [InlineData("foobar")]
    [InlineData("21")]
    public void Key_chooses_the_partition_as_clients_of_streams_do(string key)
    {
        RecordStream stream = Make(records: 0, partitions: 7);
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-partition-key", key);
        Send("s", new AmqpMessage
        {
            MessageAnnotations = annotations,
            BodyKind = BodyKind.Data,
            Data = "v"u8.ToArray(),
        }.ToArray());
        int expected = (key == "21" ? -973932308 : -790332482) & 0x7fffffff;
        Assert.Equal(1, stream.Partitions[expected % 7].EndOffset);
    }

    [Fact]
    public void Message_is_accepted_when_it_is_on_disk()
    {
        RecordStream stream = Make(records: 0);
        AmqpPeer peer = _scene.InSession();
        Assert.True(peer.AttachSender(0, "s") > 0);
        peer.Transfer(0, 0, Steps.Message("a"));
        Assert.Equal(DeliveryStateKind.Accepted, DeliveryState.KindOf(
            peer.Next(Disposition.DescriptorCode).AsDisposition().State));
        Assert.Equal(1, stream.Partitions[0].HighWatermark);
    }

    [Theory]
    [InlineData("s::1", null)]
    [InlineData("s", 1)]
    [InlineData("s/ConsumerGroups/$Default/Partitions/1", null)]
    public void One_partition_can_be_named(string address, int? property)
    {
        RecordStream stream = Make(records: 0, partitions: 2);
        Append(stream.Partitions[0], "left");
        Append(stream.Partitions[1], "right");
        AmqpMap? properties = null;
        if (property is { } number)
        {
            properties = new AmqpMap();
            properties.AddSymbol("partition", number);
        }

        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(
            0, new Source { Address = address, Filter = Filter("rabbitmq:stream-offset-spec", "first") }) with
        {
            Properties = properties,
        }));
        peer.Next(Attach.DescriptorCode);
        peer.Credit(0, 10);
        Assert.Equal(["right"], Bodies(peer));
    }

    [Fact]
    public void Credit_of_the_peer_bounds_what_comes()
    {
        Make();
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(
            0, new Source { Address = "s", Filter = Filter("rabbitmq:stream-offset-spec", "first") })));
        peer.Next(Attach.DescriptorCode);
        peer.Credit(0, 2);
        Assert.Equal(["v0", "v1"], Bodies(peer));
        peer.Credit(0, 1, deliveryCount: 2);
        Assert.Equal(["v2"], Bodies(peer));
    }

    [Fact]
    public void Group_goes_on_where_it_settled()
    {
        Make();
        Assert.Equal(["v0", "v1", "v2", "v3", "v4"], ReadGroup(settled: 3));
        Assert.Equal(["v3", "v4"], ReadGroup(settled: 0));
    }

    private List<string> ReadGroup(int settled)
    {
        AmqpPeer peer = _scene.InSession();
        var properties = new AmqpMap();
        properties.AddSymbol("group", "g");
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(
            0, new Source { Address = "s", Filter = Filter("rabbitmq:stream-offset-spec", "first") }) with
        {
            Properties = properties,
        }));
        peer.Next(Attach.DescriptorCode);
        peer.Credit(0, 10);
        _scene.Advance(2000);
        List<string> bodies = Bodies(peer);
        if (settled > 0)
        {
            peer.Send(FrameBytes.Of(new Disposition
            {
                Role = Role.Receiver,
                First = 0,
                Last = (uint)settled - 1,
                Settled = true,
                State = DeliveryState.Accepted,
            }));
        }

        _scene.Advance(2000);
        peer.Send(FrameBytes.Of(new Close()));
        _scene.Advance(2000);
        return bodies;
    }

    private static IEnumerable<string> Expected(int first) => Enumerable.Range(first, 5 - first).Select(i => $"v{i}");

    private static AmqpValue Get(AmqpMap map, string name) =>
        map.TryGet(name, out AmqpValue value) ? value : AmqpValue.Null;

    private static AmqpMap Filter(string name, AmqpValue value)
    {
        var filters = new AmqpMap();
        filters.AddSymbol(name, AmqpValue.Described(AmqpValue.Symbol(name), value));
        return filters;
    }

    private RecordStream Make(int records = 5, int partitions = 1)
    {
        var grant = _scene.Broker.Authorizer.Authorize(
            Identity.Node, Broker.Security.Permission.CreateAddress, "default", new AddressName("s", null));
        RecordStream stream = _scene.Broker.Streams.Create(
            grant, new StreamSpec { Name = "s", Partitions = partitions }).Stream!;
        for (int i = 0; i < records; i++)
        {
            Append(stream.Partitions[0], $"v{i}", i * 1000L);
        }

        return stream;
    }

    private void Append(Partition partition, string value, long afterMs = 0)
    {
        var builder = new RecordBatchBuilder();
        builder.Add(
            _scene.Clock.GetUtcNow().ToUnixTimeMilliseconds() + afterMs, default, Encoding.UTF8.GetBytes(value));
        partition.Append(builder.Finish().Span, new AppendOptions());
        _scene.Settle();
    }

    private void Send(string address, byte[] message)
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, address);
        peer.Transfer(0, 0, message);
        peer.Next(Disposition.DescriptorCode);
    }

    private List<string> Read(AmqpMap filters)
    {
        Make();
        return [.. ReadMessages(filters).Select(message => Encoding.UTF8.GetString(message.Data.Span))];
    }

    private List<AmqpMessage> ReadMessages(AmqpMap filters)
    {
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "s", Filter = filters })));
        peer.Next(Attach.DescriptorCode);
        peer.Credit(0, 10);
        return Messages(peer);
    }

    private static List<string> Bodies(AmqpPeer peer) =>
        [.. Messages(peer).Select(message => Encoding.UTF8.GetString(message.Data.Span))];

    private static List<AmqpMessage> Messages(AmqpPeer peer)
    {
        List<AmqpMessage> messages = [];
        while (peer.Frames.Any(frame => frame.Descriptor == Transfer.DescriptorCode))
        {
            peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] payload);
            messages.Add(AmqpMessage.Read(payload));
        }

        return messages;
    }

    private static StreamRecordText ReadRecord(Partition partition)
    {
        using var read = new StreamRead();
        partition.Read(0, new ReadOptions(), read);
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        read.CopyTo(bytes);
        Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(bytes.WrittenSpan, out RecordBatch batch));
        Assert.True(new RecordReader(batch.Records, batch.Count).TryRead(out StreamRecord record));
        var headers = new StringBuilder();
        RecordHeaderReader reader = record.ReadHeaders();
        while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out _))
        {
            headers.Append($"{Encoding.UTF8.GetString(name)}={Encoding.UTF8.GetString(value)} ");
        }

        return new StreamRecordText(
            Encoding.UTF8.GetString(record.Key), Encoding.UTF8.GetString(record.Value), headers.ToString());
    }

    private sealed record StreamRecordText(string Key, string Value, string Headers);
}
