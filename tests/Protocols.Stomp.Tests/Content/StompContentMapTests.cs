using System.Buffers;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Content;

public sealed class StompContentMapTests
{
    private static readonly MessageHeader Header = new() { Format = PayloadFormat.Stomp };
    private readonly StompContentMap _map = new();

    [Fact]
    public void A_payload_is_read_with_everything_in_it()
    {
        MessageContent content = Read(
            "Ta\\cb:1\ncolor:red\ncolor:blue\ncorrelation-id:c\ntype:t\ncontent-type:text/x\n"
            + "JMSXGroupID:g\nJMSXGroupSeq:7\ndestination:/topic/news\nreply-to:/queue/answers\n\nhällo")!;
        Assert.Equal(BodyForm.Text, content.Form);
        Assert.Equal("hällo", Encoding.UTF8.GetString(content.Bytes.Span));
        Assert.Equal([new("a:b", ContentValue.From("1")), new("color", ContentValue.From("red"))], content.Properties);
        Assert.Equal(ContentValue.From("c"), content.CorrelationId);
        Assert.Equal(("t", "text/x"), (content.Subject, content.ContentType));
        Assert.Equal(("g", 7u), (content.GroupId, content.GroupSequence));
        Assert.Equal(("news", "answers", RoutingType.Anycast), (content.To, content.ReplyTo, content.ReplyToRouting));
    }

    [Theory]
    [InlineData("B\n\n\u0001\0", BodyForm.Binary)]
    [InlineData("Bcontent-type:text/plain\n\nx", BodyForm.Text)]
    [InlineData("Bcontent-type:application/json\n\n{}", BodyForm.Text)]
    [InlineData("Bcontent-type:application/x-java-serialized-object\n\nx", BodyForm.Object)]
    [InlineData("T\n", BodyForm.Text)]
    [InlineData("Bamq-msg-type:text\n\nx", BodyForm.Text)]
    [InlineData("Tamq-msg-type:bytes\n\nx", BodyForm.Binary)]
    [InlineData("Tamq-msg-type:map\n\nx", BodyForm.Text)]
    public void The_body_is_text_or_bytes(string payload, BodyForm form) => Assert.Equal(form, Read(payload)!.Form);

    [Theory]
    [InlineData("")]
    [InlineData("T")]
    [InlineData("X\n\n")]
    [InlineData("Ta:b")]
    [InlineData("Ta:\\x\n\n")]
    public void Other_bytes_are_none(string payload) => Assert.Null(Read(payload));

    [Fact]
    public void What_is_written_is_read_again()
    {
        var content = new MessageContent
        {
            CorrelationId = ContentValue.From("c:1"),
            Subject = "s",
            ContentType = "text/plain",
            ContentEncoding = "gzip",
            GroupId = "g",
            GroupSequence = 3,
            ReplyTo = "answers",
            ReplyToRouting = RoutingType.Multicast,
            Form = BodyForm.Text,
            Bytes = "body"u8.ToArray(),
        };
        content.AddProperty("traceparent", ContentValue.From("00-1-2-01"));
        content.AddProperty("n", ContentValue.From(42));
        content.AddAnnotation("x-opt-note", ContentValue.From("here"));
        content.Key = "key"u8.ToArray();
        MessageContent read = Write(content);
        Assert.Equal(content.CorrelationId, read.CorrelationId);
        Assert.Equal(("s", "text/plain", "gzip"), (read.Subject, read.ContentType, read.ContentEncoding));
        Assert.Equal(("g", 3u), (read.GroupId, read.GroupSequence));
        Assert.Equal(("answers", RoutingType.Multicast), (read.ReplyTo, read.ReplyToRouting));
        Assert.Equal((BodyForm.Text, "body"), (read.Form, Encoding.UTF8.GetString(read.Bytes.Span)));
        Assert.Equal(ContentValue.From("00-1-2-01"), read.Property("traceparent"));
        Assert.Equal(ContentValue.From("42"), read.Property("n"));
        Assert.Equal([new("x-opt-note", ContentValue.From("here"))], read.Annotations);
        Assert.Equal("key"u8.ToArray(), read.Key!.Value.ToArray());
    }

    [Fact]
    public void Bodies_that_STOMP_cannot_hold_become_text()
    {
        MessageContent read = Write(new MessageContent { Form = BodyForm.Value, Value = ContentValue.From(7L) });
        Assert.Equal((BodyForm.Text, "7"), (read.Form, Encoding.UTF8.GetString(read.Bytes.Span)));
    }

    [Fact]
    public void Maps_and_lists_become_JSON()
    {
        ContentValue list = ContentValue.List([ContentValue.From(1L), ContentValue.From("a\0\uD800b")]);
        MessageContent read = Write(new MessageContent
        {
            Form = BodyForm.Map,
            Value = ContentValue.Map([new("n", ContentValue.From(true)), new("l", list)]),
        });
        Assert.Equal((BodyForm.Text, "application/json"), (read.Form, read.ContentType));
        Assert.Equal(@"{""n"":true,""l"":[1,""a\u0000\uFFFDb""]}", Encoding.UTF8.GetString(read.Bytes.Span));
    }

    [Fact]
    public void A_text_of_no_other_type_says_that_it_is_one()
    {
        MessageContent read = Write(new MessageContent { Form = BodyForm.Text, Bytes = "x"u8.ToArray() });
        Assert.Equal("text/plain", read.ContentType);
    }

    [Fact]
    public void A_NUL_in_a_header_becomes_a_space()
    {
        var content = new MessageContent();
        content.AddProperty("a\0b", ContentValue.From("c\0d"));
        Assert.Equal(ContentValue.From("c d"), Write(content).Property("a b"));
    }

    [Fact]
    public void A_text_with_a_NUL_goes_with_its_length()
    {
        MessageContent read = Write(new MessageContent { Form = BodyForm.Text, Bytes = "a\0b"u8.ToArray() });
        Assert.Equal((BodyForm.Text, "a\0b"), (read.Form, Encoding.UTF8.GetString(read.Bytes.Span)));
    }

    [Fact]
    public void A_property_cannot_pass_for_what_the_node_writes()
    {
        var content = new MessageContent();
        content.AddProperty("message-id", ContentValue.From("x"));
        content.AddProperty("ack", ContentValue.From("x"));
        Assert.Empty(Write(content).Properties);
    }

    private MessageContent? Read(string payload) => _map.Read(Header, "a", Encoding.UTF8.GetBytes(payload));

    private MessageContent Write(MessageContent content)
    {
        var output = new ArrayBufferWriter<byte>();
        _map.Write(Header, "a", content, output);
        return _map.Read(Header, "a", output.WrittenMemory)!;
    }
}
