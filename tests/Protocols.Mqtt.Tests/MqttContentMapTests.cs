using System.Buffers;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Mqtt.Content;

namespace Pillarbox.Protocols.Mqtt.Tests;

/// <summary>MQTT messages to the neutral form and back (docs/protocols/mqtt.md, "What becomes of a message").</summary>
public sealed class MqttContentMapTests
{
    private static readonly MqttContentMap Map = new();

    [Fact]
    public void What_MQTT_has_a_place_for_stands_there()
    {
        var content = new MessageContent
        {
            ContentType = "text/plain",
            CorrelationId = ContentValue.From("id"),
            ReplyTo = "answers.to/x",
            Form = BodyForm.Text,
            Bytes = "häl"u8.ToArray(),
        };
        content.AddProperty("b", ContentValue.From(1));
        content.AddProperty("a", ContentValue.From("x"));
        content.AddProperty("b", ContentValue.From(true));
        MessageContent back = Again(content, "orders.eu");
        Assert.Equal("orders.eu", back.To);
        Assert.Equal("text/plain", back.ContentType);
        Assert.Equal("id", Encoding.UTF8.GetString(back.CorrelationId.Bytes.Span));
        Assert.Equal("answers.to/x", back.ReplyTo);
        Assert.Equal((BodyForm.Text, "häl"), (back.Form, Encoding.UTF8.GetString(back.Bytes.Span)));
        Assert.Equal([("b", "1"), ("a", "x"), ("b", "true")], back.Properties.Select(p => (p.Key, p.Value.Text!)));
    }

    [Fact]
    public void What_MQTT_has_no_place_for_becomes_user_properties()
    {
        var content = new MessageContent
        {
            MessageId = ContentValue.From(7UL),
            Subject = "s",
            ContentEncoding = "gzip",
            GroupId = "g",
            GroupSequence = 3,
            ReplyToGroupId = "r",
            CreatedAtMs = 1234,
            Key = "k"u8.ToArray(),
            Form = BodyForm.Binary,
            Bytes = new byte[] { 0, 255 },
        };
        content.AddAnnotation("x-opt-trace", ContentValue.From("t"));
        MessageContent back = Again(content, "a");
        Assert.Equal(
            ("7", "s", "gzip", "g", 3u),
            (back.MessageId.Text, back.Subject, back.ContentEncoding, back.GroupId, back.GroupSequence));
        Assert.Equal(("r", 1234L, "k"), (back.ReplyToGroupId, back.CreatedAtMs,
            Encoding.UTF8.GetString(back.Key!.Value.Span)));
        Assert.Equal([("x-opt-trace", "t")], back.Annotations.Select(a => (a.Key, a.Value.Text!)));
        Assert.Empty(back.Properties);
        Assert.Equal((BodyForm.Binary, 2), (back.Form, back.Bytes.Length));
    }

    [Fact]
    public void Maps_and_lists_become_JSON()
    {
        var content = new MessageContent
        {
            Form = BodyForm.Map,
            Value = ContentValue.Map(
            [
                new("n", ContentValue.From(-5)), new("t", ContentValue.From("x")),
                new("l", ContentValue.List([ContentValue.Null, ContentValue.From(1.5), ContentValue.From(false)])),
            ]),
        };
        MessageContent back = Again(content, "a");
        Assert.Equal("application/json", back.ContentType);
        Assert.Equal("""{"n":-5,"t":"x","l":[null,1.5,false]}""", Encoding.UTF8.GetString(back.Bytes.Span));
    }

    [Fact]
    public void What_is_too_long_or_not_allowed_is_left_out()
    {
        var content = new MessageContent { Subject = new string('s', 70_000), ContentType = "a\0b" };
        content.AddProperty("nul\0", ContentValue.From("x"));
        content.AddProperty("kept", ContentValue.From("x"));
        MessageContent back = Again(content, "a");
        Assert.Null(back.Subject);
        Assert.Null(back.ContentType);
        Assert.Equal("kept", Assert.Single(back.Properties).Key);
    }

    [Fact]
    public void Bytes_that_are_no_message_are_none() =>
        Assert.Null(Map.Read(new MessageHeader(), "a", new byte[] { 1, 0, 9, 9 }));

    [Fact]
    public void Selectors_read_user_properties()
    {
        var content = new MessageContent { CorrelationId = ContentValue.From("id") };
        content.AddProperty("colour", ContentValue.From("red"));
        byte[] stored = Write(content, "a");
        var reader = new MqttPropertyReader();
        Assert.Equal("red", Encoding.UTF8.GetString(reader.Read(new MessageHeader(), stored, "colour").Utf8));
        Assert.Equal("id", Encoding.UTF8.GetString(reader.Read(new MessageHeader(), stored, "JMSCorrelationID").Utf8));
        Assert.Equal(PropertyKind.Null, reader.Read(new MessageHeader(), stored, "other").Kind);
        Assert.Equal(PropertyKind.Null, reader.Read(new MessageHeader(), [1], "colour").Kind);
    }

    private static MessageContent Again(MessageContent content, string address) =>
        Map.Read(new MessageHeader(), address, Write(content, address))!;

    private static byte[] Write(MessageContent content, string address)
    {
        var output = new ArrayBufferWriter<byte>();
        Map.Write(new MessageHeader(), address, content, output);
        return output.WrittenSpan.ToArray();
    }
}
