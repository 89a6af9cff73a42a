using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>
/// Part 3 section 3.2: sections are found without decoding, in the order of the specification or not at all.
/// </summary>
public sealed class MessageSectionsTests
{
    private const string Header = "005370c0020141";
    private const string DeliveryAnnotations = "005371c10100";
    private const string MessageAnnotations = "005372c10602a3016b5401";
    private const string Properties = "005373c0050353014040";
    private const string ApplicationProperties = "005374c10602a1016b5402";
    private const string Data = "005375a00161";
    private const string Sequence = "005376c0020141";
    private const string Value = "00537741";
    private const string Footer = "005378c10100";

    [Fact]
    public void All_sections_are_found_where_they_are()
    {
        string hex = Header + DeliveryAnnotations + MessageAnnotations + Properties + ApplicationProperties
            + Data + Data + Footer;
        byte[] bytes = Bytes.FromHex(hex);
        MessageSections sections = MessageSections.Scan(bytes);
        Assert.Equal(Header, Bytes.Hex(sections.Header.Of(bytes)));
        Assert.Equal(DeliveryAnnotations, Bytes.Hex(sections.DeliveryAnnotations.Of(bytes)));
        Assert.Equal(MessageAnnotations, Bytes.Hex(sections.MessageAnnotations.Of(bytes)));
        Assert.Equal(Properties, Bytes.Hex(sections.Properties.Of(bytes)));
        Assert.Equal(ApplicationProperties, Bytes.Hex(sections.ApplicationProperties.Of(bytes)));
        Assert.Equal(Data + Data, Bytes.Hex(sections.Body.Of(bytes)));
        Assert.Equal(Footer, Bytes.Hex(sections.Footer.Of(bytes)));
        Assert.Equal((BodyKind.Data, 2), (sections.BodyKind, sections.BodySections));
        Assert.Equal(Properties[6..], Bytes.Hex(sections.Properties.ContentOf(bytes)));
        Assert.Equal(hex.IndexOf(Properties, StringComparison.Ordinal) / 2, sections.BareOffset);
        Assert.Equal(hex.IndexOf(Data, StringComparison.Ordinal) / 2, sections.BodyOffset);
    }

    [Theory]
    [InlineData(Data, BodyKind.Data, 1)]
    [InlineData(Data + Data + Data, BodyKind.Data, 3)]
    [InlineData(Sequence + Sequence, BodyKind.Sequence, 2)]
    [InlineData(Value, BodyKind.Value, 1)]
    [InlineData(Value + Footer, BodyKind.Value, 1)]
    [InlineData(Properties + Value, BodyKind.Value, 1)]
    [InlineData(Header, BodyKind.None, 0)]
    [InlineData("", BodyKind.None, 0)]
    [InlineData("00a31061" + "6d71703a646174613a62696e617279" + "a00161", BodyKind.Data, 1)]
    [InlineData("00800000000000000075a00161", BodyKind.Data, 1)]
    public void Bodies_of_every_kind(string hex, BodyKind kind, int count)
    {
        MessageSections sections = MessageSections.Scan(Bytes.FromHex(hex));
        Assert.Equal((kind, count), (sections.BodyKind, sections.BodySections));
    }

    [Theory]
    [InlineData(Header + Header)]
    [InlineData(MessageAnnotations + DeliveryAnnotations)]
    [InlineData(MessageAnnotations + Header)]
    [InlineData(ApplicationProperties + Properties)]
    [InlineData(Data + ApplicationProperties)]
    [InlineData(Data + Value)]
    [InlineData(Value + Value)]
    [InlineData(Sequence + Data)]
    [InlineData(Footer + Data)]
    [InlineData(Data + Footer + Footer)]
    [InlineData("00531045")]
    [InlineData("41")]
    [InlineData("005370c10100")]
    [InlineData("00537141")]
    [InlineData("005375a10161")]
    [InlineData("00537645" + "00537541")]
    public void What_is_no_message_is_refused(string hex) => Assert.Equal(
        AmqpErrorCondition.DecodeError,
        Assert.Throws<AmqpException>(() => MessageSections.Scan(Bytes.FromHex(hex))).Condition);

    [Fact]
    public void The_head_is_found_as_soon_as_the_body_begins()
    {
        string head = Header + MessageAnnotations + Properties + ApplicationProperties;
        byte[] bytes = Bytes.FromHex(head + "005375b04000000061");
        int bodyKnown = (head.Length / 2) + 3;
        for (int length = 0; length <= bytes.Length; length++)
        {
            Assert.Equal(length >= bodyKnown, MessageSections.TryScanHead(bytes.AsSpan(0, length),
                out MessageSections sections));
            if (length >= bodyKnown)
            {
                Assert.Equal(head.Length / 2, sections.BodyOffset);
                Assert.Equal(BodyKind.Data, sections.BodyKind);
                Assert.Equal(Properties, Bytes.Hex(sections.Properties.Of(bytes)));
            }
        }
    }

    [Fact]
    public void Random_messages_survive_a_round_trip() => Bytes.ForSeeds(3_000, static (_, grammar) =>
    {
        AmqpMessage message = grammar.Message();
        byte[] bytes = message.ToArray();
        AmqpMessage read = AmqpMessage.Read(bytes);
        Assert.Equal(message.Header, read.Header);
        Assert.Equal(message.MessageAnnotations, read.MessageAnnotations);
        Assert.Equal(message.ApplicationProperties, read.ApplicationProperties);
        Assert.Equal((message.BodyKind, message.Value), (read.BodyKind, read.Value));
        Assert.Equal(message.Data.ToArray(), read.Data.ToArray());
        Assert.Equal(Bytes.Hex(bytes), Bytes.Hex(read.ToArray()));
    });

    [Fact]
    public void Lazy_fields_are_those_of_the_decoded_message() => Bytes.ForSeeds(3_000, static (random, grammar) =>
    {
        AmqpMessage message = grammar.Message();
        MessageView view = new(message.ToArray());
        MessageProperties expected = message.Properties ?? new MessageProperties();
        Assert.Equal(message.Header ?? default, view.Header);
        Assert.Equal(expected.MessageId ?? AmqpValue.Null, view.Properties.MessageId.ToValue());
        Assert.Equal(expected.CorrelationId ?? AmqpValue.Null, view.Properties.CorrelationId.ToValue());
        Assert.Equal(expected.UserId ?? [], view.Properties.UserId.ToArray());
        Assert.Equal((expected.To, expected.Subject, expected.ReplyTo), (view.Properties.To, view.Properties.Subject,
            view.Properties.ReplyTo));
        Assert.Equal((expected.ContentType, expected.ContentEncoding), (view.Properties.ContentType,
            view.Properties.ContentEncoding));
        Assert.Equal((expected.AbsoluteExpiryTimeMs, expected.CreationTimeMs), (view.Properties.AbsoluteExpiryTimeMs,
            view.Properties.CreationTimeMs));
        Assert.Equal((expected.GroupId, expected.GroupSequence, expected.ReplyToGroupId), (view.Properties.GroupId,
            view.Properties.GroupSequence, view.Properties.ReplyToGroupId));
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in message.ApplicationProperties ?? [])
        {
            Assert.True(view.ApplicationProperties.TryGet(entry.Key.AsText()!, out AmqpScalar scalar));
            Assert.Equal(entry.Value, scalar.ToValue());
        }
        Assert.False(view.ApplicationProperties.TryGet("\u0001 nobody", out _));
        List<(AmqpValue, AmqpValue)> annotations = [];
        foreach (MapView.Enumerator entry in view.MessageAnnotations)
        {
            annotations.Add((entry.Key.ToValue(), entry.Value.ToValue()));
        }
        Assert.Equal((message.MessageAnnotations ?? []).Select(e => (e.Key, e.Value)), annotations);
    });

    [Fact]
    public void Scalars_are_read_by_their_type()
    {
        AmqpMap map = new()
        {
            { "int", -5 }, { "ulong", ulong.MaxValue }, { "double", 2.5 }, { "float", AmqpValue.Float(0.5f) },
            { "true", true }, { "text", "x" }, { "time", AmqpValue.Timestamp(7) }, { new string('k', 400), 1u },
        };
        MapView view = new(AmqpValue.Map(map).ToEncoded());
        Assert.True(view.TryGet("int", out AmqpScalar scalar) && scalar.TryGetInt64(out long number) && number == -5);
        Assert.True(view.TryGet("ulong", out scalar) && !scalar.TryGetInt64(out _) && scalar.Bits == ulong.MaxValue);
        Assert.True(view.TryGet("double", out scalar) && scalar.TryGetDouble(out double real) && real == 2.5);
        Assert.True(view.TryGet("float", out scalar) && scalar.TryGetDouble(out real) && real == 0.5);
        Assert.True(view.TryGet("true", out scalar) && scalar.AsBoolean);
        Assert.True(view.TryGet("text", out scalar) && scalar.GetText() == "x" && !scalar.TryGetInt64(out _));
        Assert.True(view.TryGet("time", out scalar) && scalar.TryGetInt64(out number) && number == 7);
        Assert.True(view.TryGet(new string('k', 400), out scalar) && scalar.TryGetInt64(out number) && number == 1);
    }

    [Fact]
    public void Properties_of_a_wrong_type_are_refused_when_they_are_looked_at()
    {
        byte[] bytes = Bytes.FromHex("005373c0050341" + "4141" + Value);
        bytes[4] = 4;
        Assert.Throws<AmqpException>(() => new MessageView(bytes).Properties.To);
        Assert.True(new MessageView(bytes).Properties.MessageId.AsBoolean);
    }

    [Fact]
    public void Mutated_messages_are_read_or_refused() => Bytes.ForSeeds(10_000, static (_, grammar) =>
    {
        byte[] bytes = grammar.Mutate(grammar.Message().ToArray());
        try
        {
            AmqpMessage message = AmqpMessage.Read(bytes);
            byte[] again = message.ToArray();
            Assert.Equal(Bytes.Hex(again), Bytes.Hex(AmqpMessage.Read(again).ToArray()));
        }
        catch (AmqpException)
        {
        }
    });

    [Fact]
    public void Rewriting_leaves_the_bare_message_alone() => Bytes.ForSeeds(2_000, static (random, grammar) =>
    {
        AmqpMessage message = grammar.Message();
        byte[] bytes = message.ToArray();
        MessageSections sections = MessageSections.Scan(bytes);
        HeaderSection? header = random.Next(2) == 0 ? null : grammar.Header();
        AmqpMap added = new() { { AmqpValue.Symbol("x-opt-orig-queue"), "orders" } };
        if (message.MessageAnnotations is { Count: > 0 } before && before[0].Key.AsText() != "x-opt-orig-queue")
        {
            added.Add(before[0].Key, "replaced");
        }
        byte[] rewritten = Bytes.Written((ref AmqpWriter writer) =>
            MessageRewriter.Write(ref writer, bytes, sections, header, added));

        MessageSections after = MessageSections.Scan(rewritten);
        Assert.Equal(Bytes.Hex(bytes.AsSpan(sections.BareOffset)), Bytes.Hex(rewritten.AsSpan(after.BareOffset)));
        AmqpMessage read = AmqpMessage.Read(rewritten);
        Assert.Equal(header ?? message.Header, read.Header);
        Assert.Null(read.DeliveryAnnotations);
        AmqpMap expected = new();
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in message.MessageAnnotations ?? [])
        {
            if (!added.TryGet(entry.Key, out _))
            {
                expected.Add(entry.Key, entry.Value);
            }
        }
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in added)
        {
            expected.Add(entry.Key, entry.Value);
        }
        Assert.Equal(expected, read.MessageAnnotations);
    });

    [Fact]
    public void Rewriting_without_changes_drops_delivery_annotations_only()
    {
        byte[] bytes = Bytes.FromHex(Header + DeliveryAnnotations + MessageAnnotations + Data + Footer);
        byte[] rewritten = Bytes.Written((ref AmqpWriter writer) =>
            MessageRewriter.Write(ref writer, bytes, MessageSections.Scan(bytes), null, null));
        Assert.Equal(Header + MessageAnnotations + Data + Footer, Bytes.Hex(rewritten));
    }
}
