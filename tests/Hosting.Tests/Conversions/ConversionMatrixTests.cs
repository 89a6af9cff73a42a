using System.Buffers;
using System.Text;
using Pillarbox.Broker.Streams.Records;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Xunit;

namespace Pillarbox.Hosting.Tests.Conversions;

/// <summary>
/// Every payload format into every other, by way of the maps that a node has: what comes out is what went in, but for
/// what docs/protocols/conversions.md says that a format cannot hold.
/// </summary>
public sealed class ConversionMatrixTests
{
    private const string Address = "news.sport";

    private static readonly IContentMap[] Maps = [.. PayloadFormats.Maps, new RecordContentMap()];

    /// <summary>Formats that have nothing but text and bytes.</summary>
    private static readonly PayloadFormat[] Untyped = [PayloadFormat.Stomp, PayloadFormat.Mqtt];

    public static TheoryData<PayloadFormat, PayloadFormat> Pairs
    {
        get
        {
            var pairs = new TheoryData<PayloadFormat, PayloadFormat>();
            foreach (IContentMap from in Maps)
            {
                foreach (IContentMap to in Maps)
                {
                    pairs.Add(from.Format, to.Format);
                }
            }

            return pairs;
        }
    }

    [Fact]
    public void Every_format_that_a_protocol_brings_has_its_map() => Assert.Equal(
        Enum.GetValues<PayloadFormat>().Where(f => f != PayloadFormat.None).Order(),
        Maps.Select(m => m.Format).Order());

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Text_comes_out_as_it_went_in(PayloadFormat from, PayloadFormat to)
    {
        MessageContent read = Convert(from, to, Content(BodyForm.Text, "hällo wörld"u8.ToArray()));
        Assert.Equal((BodyForm.Text, "hällo wörld"), (read.Form, Encoding.UTF8.GetString(read.Bytes.Span)));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Bytes_come_out_as_they_went_in(PayloadFormat from, PayloadFormat to)
    {
        byte[] body = [0, 1, 0xff, 0xfe, 10, 0];
        MessageContent read = Convert(from, to, Content(BodyForm.Binary, body));
        Assert.Equal(BodyForm.Binary, read.Form);
        Assert.Equal(body, read.Bytes.ToArray());
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void An_object_of_java_stays_the_same_inert_bytes(PayloadFormat from, PayloadFormat to)
    {
        byte[] body = [0xac, 0xed, 0, 5, 1];
        MessageContent read = Convert(from, to, Content(BodyForm.Object, body));
        Assert.Equal(BodyForm.Object, read.Form);
        Assert.Equal(body, read.Bytes.ToArray());
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_map_stays_one_or_becomes_text(PayloadFormat from, PayloadFormat to)
    {
        var content = new MessageContent
        {
            Form = BodyForm.Map,
            Value = ContentValue.Map([new("n", ContentValue.From(7)), new("s", ContentValue.From("x"))]),
        };
        MessageContent read = Convert(from, to, content);
        if (IsUntyped(from, to))
        {
            Assert.Equal(BodyForm.Text, read.Form);
            string text = Encoding.UTF8.GetString(read.Bytes.Span);
            Assert.True(text.Contains('7') && text.Contains('x'), text);
        }
        else
        {
            Assert.Equal(BodyForm.Map, read.Form);
            Assert.Equal(["n", "s"], read.Value.Entries.Select(e => e.Key).Order());
            Assert.Equal("7", read.Value.Entries.Single(e => e.Key == "n").Value.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Properties_of_text_stay(PayloadFormat from, PayloadFormat to)
    {
        MessageContent content = Content(BodyForm.Text, "x"u8.ToArray());
        content.AddProperty("color", ContentValue.From("röd: yes\nno"));
        const string Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        content.AddProperty("traceparent", ContentValue.From(Trace));
        MessageContent read = Convert(from, to, content);
        Assert.Equal(content.Property("color"), read.Property("color"));
        Assert.Equal(content.Property("traceparent"), read.Property("traceparent"));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Properties_of_other_types_stay_or_become_text(PayloadFormat from, PayloadFormat to)
    {
        MessageContent content = Content(BodyForm.Text, "x"u8.ToArray());
        content.AddProperty("flag", ContentValue.From(true));
        content.AddProperty("int", ContentValue.From(42));
        content.AddProperty("long", ContentValue.From(1L << 40));
        content.AddProperty("double", ContentValue.From(2.5));
        MessageContent read = Convert(from, to, content);
        foreach ((string name, ContentValue value) in content.Properties)
        {
            ContentValue expected = IsUntyped(from, to) ? ContentValue.From(value.ToString()) : value;
            Assert.Equal(expected, read.Property(name));
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void What_requests_and_answers_need_stays(PayloadFormat from, PayloadFormat to)
    {
        MessageContent content = Content(BodyForm.Text, "x"u8.ToArray());
        content.CorrelationId = ContentValue.From("order-17");
        content.ReplyTo = "answers.a";
        content.ReplyToRouting = RoutingType.Anycast;
        MessageContent read = Convert(from, to, content);
        Assert.Equal("order-17", TextOf(read.CorrelationId));
        Assert.Equal("answers.a", read.ReplyTo);
    }

    /// <summary>Whether it is a queue or a topic stays; that it is temporary stays where that has a place.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void The_kind_of_reply_to_stays(PayloadFormat from, PayloadFormat to)
    {
        PayloadFormat[] placeless = [PayloadFormat.Stomp, PayloadFormat.OpenWire];
        foreach (RoutingType routing in Enum.GetValues<RoutingType>())
        {
            MessageContent content = Content(BodyForm.Text, "x"u8.ToArray());
            content.ReplyTo = "answers.a";
            content.ReplyToRouting = routing;
            content.ReplyToIsTemporary = true;
            MessageContent read = Convert(from, to, content);
            Assert.Equal(("answers.a", routing), (read.ReplyTo, read.ReplyToRouting));
            Assert.Equal(!placeless.Contains(from) && !placeless.Contains(to), read.ReplyToIsTemporary);
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Subject_media_type_and_group_stay(PayloadFormat from, PayloadFormat to)
    {
        MessageContent content = Content(BodyForm.Text, "{}"u8.ToArray());
        content.Subject = "created";
        content.ContentType = "application/json";
        content.GroupId = "g-1";
        MessageContent read = Convert(from, to, content);
        Assert.Equal(("created", "application/json", "g-1"), (read.Subject, read.ContentType, read.GroupId));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void The_message_id_stays_as_text(PayloadFormat from, PayloadFormat to)
    {
        MessageContent content = Content(BodyForm.Text, "x"u8.ToArray());
        content.MessageId = ContentValue.From("ID:host-1-2-3:4:5:6:7");
        MessageContent read = Convert(from, to, content);
        Assert.Equal("ID:host-1-2-3:4:5:6:7", TextOf(read.MessageId));
    }

    private static MessageContent Content(BodyForm form, byte[] body) => new() { Form = form, Bytes = body };

    private static MessageContent Convert(PayloadFormat from, PayloadFormat to, MessageContent content) =>
        RoundTrip(to, RoundTrip(from, content));

    private static MessageContent RoundTrip(PayloadFormat format, MessageContent content)
    {
        IContentMap map = Maps.Single(m => m.Format == format);
        var header = new MessageHeader { Format = format, PublishedAtMs = 1_800_000_000_000 };
        var output = new ArrayBufferWriter<byte>();
        map.Write(header, Address, content, output);
        MessageContent? read = map.Read(header, Address, output.WrittenMemory.ToArray());
        return read ?? throw new InvalidOperationException($"what was written as {format} cannot be read");
    }

    private static bool IsUntyped(PayloadFormat from, PayloadFormat to) =>
        Untyped.Contains(from) || Untyped.Contains(to);

    // Some formats keep identifiers as bytes.
    private static string TextOf(ContentValue value) =>
        value.Type == ContentType.Binary ? Encoding.UTF8.GetString(value.Bytes.Span) : value.ToString();
}
