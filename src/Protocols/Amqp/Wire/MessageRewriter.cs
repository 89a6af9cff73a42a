using System.Text;

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

    /// <summary>
    /// Writes a section of message annotations: the entries of the encoded map <paramref name="existing"/> (empty:
    /// none) whose keys are not those of new ones, in the bytes that they have, then the new ones. What lies inside
    /// those bytes is not looked at; a map that is itself broken is a decode error.
    /// </summary>
    public static void WriteAnnotations(
        scoped ref AmqpWriter writer, scoped ReadOnlySpan<byte> existing, AmqpMap added)
    {
        writer.WriteDescriptor(Descriptors.MessageAnnotations);
        int map = writer.BeginCompound();
        int count = 0;
        foreach (MapView.Enumerator entry in new MapView(existing))
        {
            if (!Has(added, entry.Key))
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

    // Keys are symbols, or ulongs (part 3 section 3.2.10); a text that is none is equal to no other.
    private static bool Has(AmqpMap added, scoped in AmqpScalar key)
    {
        if (!key.IsText)
        {
            return added.TryGet(key.ToValue(), out _);
        }

        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in added)
        {
            if (entry.Key.Type == key.Type
                && Encoding.UTF8.GetBytes(entry.Key.AsText()!).AsSpan().SequenceEqual(key.Content))
            {
                return true;
            }
        }

        return false;
    }
}
