using System.Buffers;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// A message decoded whole or built from its parts (part 3 section 3.2), for clients, tools and tests. The broker's
/// path works on the bytes: <see cref="MessageSections"/>, <see cref="MessageView"/>, <see cref="MessageRewriter"/>.
/// </summary>
public sealed record AmqpMessage
{
    public HeaderSection? Header { get; init; }

    public AmqpMap? DeliveryAnnotations { get; init; }

    public AmqpMap? MessageAnnotations { get; init; }

    public MessageProperties? Properties { get; init; }

    public AmqpMap? ApplicationProperties { get; init; }

    public BodyKind BodyKind { get; init; }

    /// <summary>The body of kind data: the bytes of all sections, one after the other.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The body of kind value, or the items of all sequence sections as a list.</summary>
    public AmqpValue Value { get; init; }

    public AmqpMap? Footer { get; init; }

    public static AmqpMessage FromData(ReadOnlyMemory<byte> data) => new() { BodyKind = BodyKind.Data, Data = data };

    public static AmqpMessage FromValue(AmqpValue value) => new() { BodyKind = BodyKind.Value, Value = value };

    /// <summary>Decodes a whole message; broken bytes are an <see cref="AmqpException"/>.</summary>
    public static AmqpMessage Read(ReadOnlySpan<byte> message)
    {
        MessageSections sections = MessageSections.Scan(message);
        return new AmqpMessage
        {
            Header = sections.Header.IsPresent ? new MessageView(message, sections).Header : null,
            DeliveryAnnotations = ReadMap(sections.DeliveryAnnotations, message),
            MessageAnnotations = ReadMap(sections.MessageAnnotations, message),
            Properties = ReadProperties(sections.Properties, message),
            ApplicationProperties = ReadMap(sections.ApplicationProperties, message),
            BodyKind = sections.BodyKind,
            Data = sections.BodyKind == BodyKind.Data ? ReadData(sections.Body, message) : default,
            Value = ReadValue(sections, message),
            Footer = ReadMap(sections.Footer, message),
        };
    }

    public void Write(scoped ref AmqpWriter writer)
    {
        Header?.Write(ref writer);
        WriteMap(ref writer, Descriptors.DeliveryAnnotations, DeliveryAnnotations);
        WriteMap(ref writer, Descriptors.MessageAnnotations, MessageAnnotations);
        Properties?.Write(ref writer);
        WriteMap(ref writer, Descriptors.ApplicationProperties, ApplicationProperties);
        switch (BodyKind)
        {
            case BodyKind.Data:
                writer.WriteDescriptor(Descriptors.Data);
                writer.WriteBinary(Data.Span);
                break;
            case BodyKind.Sequence:
                writer.WriteDescriptor(Descriptors.AmqpSequence);
                writer.WriteValue(Value);
                break;
            case BodyKind.Value:
                writer.WriteDescriptor(Descriptors.AmqpValue);
                writer.WriteValue(Value);
                break;
        }
        WriteMap(ref writer, Descriptors.Footer, Footer);
    }

    public byte[] ToArray()
    {
        ArrayBufferWriter<byte> output = new();
        AmqpWriter writer = new(output);
        Write(ref writer);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    private static AmqpMap? ReadMap(SectionRange section, ReadOnlySpan<byte> message)
    {
        if (!section.IsPresent)
        {
            return null;
        }
        AmqpReader reader = new(section.ContentOf(message));
        return AmqpMap.Read(ref reader);
    }

    private static MessageProperties? ReadProperties(SectionRange section, ReadOnlySpan<byte> message)
    {
        if (!section.IsPresent)
        {
            return null;
        }
        AmqpReader reader = new(section.ContentOf(message));
        return MessageProperties.ReadFields(ref reader);
    }

    private static byte[] ReadData(SectionRange body, ReadOnlySpan<byte> message)
    {
        AmqpReader reader = new(body.Of(message));
        ArrayBufferWriter<byte> data = new(body.Bytes);
        while (!reader.AtEnd)
        {
            reader.ReadDescriptor();
            data.Write(reader.ReadBinary());
        }
        return data.WrittenSpan.ToArray();
    }

    private static AmqpValue ReadValue(in MessageSections sections, ReadOnlySpan<byte> message)
    {
        if (sections.BodyKind == BodyKind.Value)
        {
            return AmqpValue.FromEncoded(sections.Body.ContentOf(message));
        }
        if (sections.BodyKind != BodyKind.Sequence)
        {
            return AmqpValue.Null;
        }
        AmqpReader reader = new(sections.Body.Of(message));
        List<AmqpValue> items = [];
        while (!reader.AtEnd)
        {
            reader.ReadDescriptor();
            items.AddRange(reader.ReadValue().AsList());
        }
        return AmqpValue.List([.. items]);
    }

    private static void WriteMap(scoped ref AmqpWriter writer, ulong descriptor, AmqpMap? map)
    {
        if (map is not null)
        {
            writer.WriteDescriptor(descriptor);
            map.Write(ref writer);
        }
    }
}
