namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Changes what an intermediary may change of a message (part 3 section 3.2): header and annotations. The bytes of the
/// bare message and the footer are copied as they are.
/// </summary>
public static class MessageRewriter
{
    /// <summary>
    /// Writes the message with another header (null: as it was), without its delivery annotations, and with
    /// <paramref name="annotations"/> added to its message annotations. An entry with the key of a new one is
    /// replaced; the others keep their bytes and their order.
    /// </summary>
    public static void Write(
        scoped ref AmqpWriter writer,
        scoped ReadOnlySpan<byte> message,
        scoped in MessageSections sections,
        HeaderSection? header,
        AmqpMap? annotations)
    {
        WriteHead(ref writer, message, sections, header, annotations);
        writer.WriteRaw(message[sections.BareOffset..]);
    }

    /// <summary>
    /// The same for what comes before the bare message; its bytes from BareOffset on are for the caller.
    /// </summary>
    public static void WriteHead(
        scoped ref AmqpWriter writer,
        scoped ReadOnlySpan<byte> message,
        scoped in MessageSections sections,
        HeaderSection? header,
        AmqpMap? annotations)
    {
        if (header is { } changed)
        {
            changed.Write(ref writer);
        }
        else
        {
            writer.WriteRaw(sections.Header.Of(message));
        }
        if (annotations is null || annotations.Count == 0)
        {
            writer.WriteRaw(sections.MessageAnnotations.Of(message));
            return;
        }
        WriteAnnotations(ref writer, sections.MessageAnnotations.ContentOf(message), annotations);
    }

    private static void WriteAnnotations(
        scoped ref AmqpWriter writer, scoped ReadOnlySpan<byte> existing, AmqpMap added)
    {
        writer.WriteDescriptor(Descriptors.MessageAnnotations);
        int map = writer.BeginCompound();
        int count = 0;
        foreach (MapView.Enumerator entry in new MapView(existing))
        {
            if (!added.TryGet(entry.Key.ToValue(), out _))
            {
                writer.WriteRaw(entry.Key.Encoded);
                writer.WriteRaw(entry.Value.Encoded);
                count += 2;
            }
        }
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in added)
        {
            writer.WriteValue(entry.Key);
            writer.WriteValue(entry.Value);
            count += 2;
        }
        writer.EndMap(map, count);
    }
}
