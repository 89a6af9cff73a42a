using System.Buffers;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Content;

/// <summary>AMQP payloads to the neutral form and back.</summary>
public sealed class AmqpContentMapTests
{
    private static readonly AmqpContentMap Map = new();

    [Fact]
    public void Everything_that_the_neutral_form_holds_comes_back()
    {
        var properties = new AmqpMap();
        properties.Add("text", "ü");
        properties.Add("whole", AmqpValue.Short(-7));
        properties.Add("unsigned", AmqpValue.ULong(ulong.MaxValue));
        properties.Add("half", AmqpValue.Float(0.5f));
        properties.Add("yes", true);
        properties.Add("bytes", new byte[] { 0, 255 });
        properties.Add("when", AmqpValue.Timestamp(1_700_000_000_123));
        properties.Add("id", AmqpValue.Uuid(new Guid("00112233-4455-6677-8899-aabbccddeeff")));
        properties.Add("letter", AmqpValue.Char(new Rune('ß')));
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-partition-key", "k");
        var message = new AmqpMessage
        {
            MessageAnnotations = annotations,
            Properties = new MessageProperties
            {
                MessageId = AmqpValue.ULong(7),
                CorrelationId = AmqpValue.Binary([1, 2]),
                To = "orders",
                Subject = "s",
                ReplyTo = "answers",
                ContentType = "text/plain",
                ContentEncoding = "identity",
                UserId = [9],
                GroupId = "g",
                GroupSequence = 4,
                ReplyToGroupId = "r",
                CreationTimeMs = 5,
            },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = "body",
        };

        MessageContent content = Read(message.ToArray());

        Assert.Equal("k", Encoding.UTF8.GetString(content.Key!.Value.Span));
        Assert.Equal(BodyForm.Text, content.Form);
        Assert.Equal(ContentValue.From(ulong.MaxValue), content.Property("unsigned"));
        Assert.Equal(message.ToArray(), Write(content));
    }

    [Theory]
    [InlineData("queue://answers", "answers", RoutingType.Anycast)]
    [InlineData("topic://answers", "answers", RoutingType.Multicast)]
    [InlineData("answers", "answers", null)]
    public void Reply_to_is_an_address_without_prefix(string text, string address, RoutingType? routing)
    {
        MessageContent content = Read(new AmqpMessage
        {
            Properties = new MessageProperties { ReplyTo = text },
        }.ToArray());
        Assert.Equal(address, content.ReplyTo);
        Assert.Equal(routing, content.ReplyToRouting);
    }

    [Fact]
    public void Bodies_keep_their_form()
    {
        var map = new AmqpMap();
        map.Add("a", AmqpValue.List(1, "x"));
        foreach ((AmqpMessage message, BodyForm form) in new[]
        {
            (AmqpMessage.FromData(new byte[] { 1, 2 }), BodyForm.Binary),
            (AmqpMessage.FromValue("text"), BodyForm.Text),
            (AmqpMessage.FromValue(AmqpValue.Map(map)), BodyForm.Map),
            (AmqpMessage.FromValue(AmqpValue.Double(1.5)), BodyForm.Value),
            (new AmqpMessage { BodyKind = BodyKind.Sequence, Value = AmqpValue.List(1, "x") }, BodyForm.List),
        })
        {
            MessageContent content = Read(message.ToArray());
            Assert.Equal(form, content.Form);
            AmqpMessage back = AmqpMessage.Read(Write(content));
            Assert.Equal(message.BodyKind, back.BodyKind);
            Assert.Equal(message.Value, back.Value);
            Assert.Equal(message.Data.ToArray(), back.Data.ToArray());
        }
    }

    [Fact]
    public void A_name_twice_and_a_content_type_that_is_no_symbol_still_make_a_message()
    {
        var content = new MessageContent { ContentType = "tëxt", Form = BodyForm.Binary, Bytes = new byte[] { 3 } };
        content.AddProperty("n", ContentValue.From("first"));
        content.AddProperty("n", ContentValue.From("last"));
        AmqpMessage message = AmqpMessage.Read(Write(content));
        Assert.Equal("t?xt", message.Properties!.ContentType);
        Assert.True(message.ApplicationProperties!.TryGet("n", out AmqpValue value));
        Assert.Equal("last", value.AsText());
        Assert.Single(message.ApplicationProperties);
    }

    [Theory]
    [InlineData("00")]
    [InlineData("005375a0")]
    [InlineData("005377c1ff")]
    public void Broken_bytes_are_no_content(string hex) =>
        Assert.Null(Map.Read(default, "a", Convert.FromHexString(hex)));

    private static MessageContent Read(byte[] payload)
    {
        MessageContent? content = Map.Read(default, "a", payload);
        Assert.NotNull(content);
        return content;
    }

    private static byte[] Write(MessageContent content)
    {
        var output = new ArrayBufferWriter<byte>();
        Map.Write(default, "orders", content, output);
        return output.WrittenSpan.ToArray();
    }
}
