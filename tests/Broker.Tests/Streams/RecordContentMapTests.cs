using System.Buffers;
using System.Text;
using Pillarbox.Broker.Streams.Records;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Messages as records, and records as messages.</summary>
public sealed class RecordContentMapTests
{
    private static readonly RecordContentMap Map = new();

    public static TheoryData<ContentValue> Values =>
    [
        ContentValue.Null,
        ContentValue.From(true),
        ContentValue.From(false),
        ContentValue.From(sbyte.MinValue),
        ContentValue.From(short.MaxValue),
        ContentValue.From(-7),
        ContentValue.From(long.MinValue),
        ContentValue.From(byte.MaxValue),
        ContentValue.From(ushort.MaxValue),
        ContentValue.From(uint.MaxValue),
        ContentValue.From(ulong.MaxValue),
        ContentValue.From(0.1f),
        ContentValue.From(double.Epsilon),
        ContentValue.Char('ß'),
        ContentValue.Timestamp(1_700_000_000_123),
        ContentValue.From(new Guid("00112233-4455-6677-8899-aabbccddeeff")),
        ContentValue.From(new byte[] { 0, 255, 10 }),
        ContentValue.From("ü\n"),
        ContentValue.From(""),
    ];

    [Theory]
    [MemberData(nameof(Values))]
    public void Properties_of_every_type_come_back(ContentValue value)
    {
        MessageContent content = new() { Form = BodyForm.Binary, Bytes = "b"u8.ToArray() };
        content.AddProperty("p", value);
        content.AddAnnotation("x-opt-a", value);
        MessageContent back = RoundTrip(content);
        Assert.Equal(content.Properties, back.Properties);
        Assert.Equal(content.Annotations, back.Annotations);
    }

    [Theory]
    [MemberData(nameof(Values))]
    public void Bodies_of_every_type_come_back(ContentValue value)
    {
        MessageContent back = RoundTrip(new MessageContent { Form = BodyForm.Value, Value = value });
        Assert.Equal((BodyForm.Value, value), (back.Form, back.Value));
    }

    [Theory]
    [InlineData(BodyForm.Binary)]
    [InlineData(BodyForm.Text)]
    [InlineData(BodyForm.Object)]
    public void Bodies_of_bytes_come_back(BodyForm form)
    {
        MessageContent back = RoundTrip(new MessageContent { Form = form, Bytes = "body"u8.ToArray() });
        Assert.Equal((form, "body"), (back.Form, Encoding.UTF8.GetString(back.Bytes.Span)));
    }

    [Fact]
    public void Maps_and_lists_are_json_to_others()
    {
        ContentValue map = ContentValue.Map(
        [
            new("a", ContentValue.From(1L)),
            new("b", ContentValue.List([ContentValue.From("x"), ContentValue.From(true), ContentValue.Null])),
        ]);
        byte[] record = Write(new MessageContent { Form = BodyForm.Map, Value = map });
        Assert.True(StreamRecord.TryParse(record, out StreamRecord read));
        Assert.Equal("""{"a":1,"b":["x",true,null]}""", Encoding.UTF8.GetString(read.Value));
        MessageContent back = Map.Read(new MessageHeader(), "s", record)!;
        Assert.Equal((BodyForm.Map, map), (back.Form, back.Value));
    }

    [Fact]
    public void Every_property_of_a_message_comes_back()
    {
        MessageContent content = new()
        {
            MessageId = ContentValue.From(7UL),
            CorrelationId = ContentValue.From(new byte[] { 1 }),
            To = "orders",
            ReplyTo = "answers",
            ReplyToRouting = RoutingType.Multicast,
            Subject = "s",
            ContentType = "text/plain",
            ContentEncoding = "gzip",
            UserId = new byte[] { 9 },
            GroupId = "g",
            GroupSequence = 4,
            ReplyToGroupId = "r",
            CreatedAtMs = 5,
            Key = "k"u8.ToArray(),
            Form = BodyForm.Text,
            Bytes = "t"u8.ToArray(),
        };
        Assert.Equal(Describe(content), Describe(RoundTrip(content)));
    }

    [Fact]
    public void A_group_is_the_key_of_a_message_that_has_none()
    {
        byte[] record = Write(new MessageContent { GroupId = "g", Form = BodyForm.Binary });
        Assert.True(StreamRecord.TryParse(record, out StreamRecord read));
        Assert.Equal("g", Encoding.UTF8.GetString(read.Key));
    }

    [Fact]
    public void A_plain_message_is_a_plain_record()
    {
        MessageContent content = new() { Form = BodyForm.Binary, Bytes = "v"u8.ToArray() };
        content.AddProperty("h", ContentValue.From("x"));
        Assert.True(StreamRecord.TryParse(Write(content), out StreamRecord read));
        Assert.Equal((1, false, "v"), (read.HeaderCount, read.HasKey, Encoding.UTF8.GetString(read.Value)));
    }

    [Fact]
    public void Marks_that_do_not_fit_the_headers_are_not_believed()
    {
        ArrayBufferWriter<byte> bytes = new();
        RecordEncoder.Write(bytes, new RecordContent
        {
            HasValue = true,
            Value = "v"u8,
            HeaderCount = 2,
            Headers = RecordBatchBuilder.EncodeHeaders(
                [("a"u8.ToArray(), "b"u8.ToArray()), ("x-pillarbox"u8.ToArray(), "TTpspspsps"u8.ToArray())]),
        });
        MessageContent content = Map.Read(new MessageHeader(), "s", bytes.WrittenMemory)!;
        Assert.Equal(BodyForm.Binary, content.Form);
        Assert.Equal(2, content.Properties.Count);
    }

    [Fact]
    public void Whatever_the_bytes_are_nothing_is_thrown()
    {
        SeededRandom random = Seeds.New(out string seed);
        byte[] good = Write(new MessageContent { MessageId = ContentValue.From(7UL), Form = BodyForm.Map });
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. good];
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                _ = Map.Read(new MessageHeader(), "s", bytes.AsMemory(0, random.Next(bytes.Length + 1)));
            }
            catch (Exception e)
            {
                Assert.Fail($"{e} {seed}");
            }
        }
    }

    private static MessageContent RoundTrip(MessageContent content) =>
        Map.Read(new MessageHeader(), "s", Write(content))!;

    private static byte[] Write(MessageContent content)
    {
        ArrayBufferWriter<byte> output = new();
        Map.Write(new MessageHeader(), "s", content, output);
        return output.WrittenSpan.ToArray();
    }

    private static string Describe(MessageContent c) => string.Join('|',
        c.MessageId.Type, c.MessageId, c.CorrelationId.Type, c.CorrelationId, c.To, c.ReplyTo, c.ReplyToRouting,
        c.Subject, c.ContentType, c.ContentEncoding, Convert.ToHexString(c.UserId.Span), c.GroupId, c.GroupSequence,
        c.ReplyToGroupId, c.CreatedAtMs, Encoding.UTF8.GetString(c.Key!.Value.Span), c.Form,
        Encoding.UTF8.GetString(c.Bytes.Span));
}
