using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>What the node reads of an incoming message; spans are slices of the message.</summary>
internal readonly ref struct IncomingMessage
{
    /// <summary>The envelope.</summary>
    public MessageHeader Header { get; init; }

    /// <summary>Where the part starts that is kept as it is: after header and delivery-annotations.</summary>
    public int PayloadOffset { get; init; }

    /// <summary>The properties' <c>to</c> as UTF-8; empty when absent.</summary>
    public ReadOnlySpan<byte> To { get; init; }
}

/// <summary>
/// AMQP sections to the broker's <see cref="MessageHeader"/> and back. The bytes from message-annotations on stay as
/// they came;
/// header and delivery-annotations are for one hop (part 3 section 3.2) and are made anew.
/// </summary>
internal static class AmqpMessageMap
{
    /// <summary>The longest header section that <see cref="WriteHeader"/> writes.</summary>
    public const int HeaderBytesMax = 32;

    private const int AnnotationBytesHint = 512;
    private const string ExpiredReason = "expired";
    private const ulong EndOfMessage = ulong.MaxValue;
    private const int PropertiesTo = 2;
    private const int PropertiesAbsoluteExpiry = 8;
    private const int PropertiesGroupId = 10;
    private const int PropertiesGroupSequence = 11;

    /// <summary>
    /// Reads header and, of properties, what routing and expiry need. Broken sections are a decode error; sections
    /// after properties
    /// are not looked at. Needs the bytes of these sections only, not the whole message.
    /// </summary>
    public static IncomingMessage Read(ReadOnlySpan<byte> message, long nowMs)
    {
        var reader = new AmqpReader(message);
        HeaderSection header = default;
        ulong section = NextSection(ref reader, out int start);
        if (section == HeaderSection.DescriptorCode)
        {
            header = HeaderSection.ReadFields(ref reader);
            section = NextSection(ref reader, out start);
        }

        if (section == Descriptors.DeliveryAnnotations)
        {
            reader.Skip();
            section = NextSection(ref reader, out start);
        }

        int payloadOffset = start;
        long deliverAtMs = 0;
        if (section == Descriptors.MessageAnnotations)
        {
            int from = reader.Position;
            reader.Skip();
            deliverAtMs = ReadDeliverAt(message[from..reader.Position], nowMs);
            section = NextSection(ref reader, out start);
        }

        long expiresAtMs = header.TtlMs is { } ttl ? nowMs + ttl : 0;
        ReadOnlySpan<byte> to = default;
        MessageGroup group = default;
        if (section == MessageProperties.DescriptorCode)
        {
            to = ReadProperties(ref reader, ref expiresAtMs, out group);
        }

        return new IncomingMessage
        {
            Header = ToHeader(header, expiresAtMs) with { DeliverAtMs = deliverAtMs, Group = group },
            PayloadOffset = payloadOffset,
            To = to,
        };
    }

    /// <summary>The header section for a delivery; nothing when all of it is default.</summary>
    public static int WriteHeader(Span<byte> buffer, in MessageHeader header, uint failedDeliveries, long nowMs)
    {
        uint count = header.DeliveryCount + failedDeliveries;
        if (!header.Durable
            && header.Priority == MessageHeader.DefaultPriority && header.ExpiresAtMs == 0 && count == 0)
        {
            return 0;
        }

        var writer = new AmqpWriter(buffer);
        new HeaderSection
        {
            Durable = header.Durable,
            Priority = header.Priority == MessageHeader.DefaultPriority ? null : header.Priority,
            TtlMs = RemainingTtl(header.ExpiresAtMs, nowMs),
            DeliveryCount = count,
        }.Write(ref writer);
        return writer.Position;
    }

    /// <summary>
    /// The message-annotations section of a dead-lettered, expired or moved message: what it had, in the bytes that it
    /// had, and where it came from. <paramref name="originalBytes"/> tells how many bytes of the payload it replaces.
    /// Empty when those that it had are broken, or end behind the payload's bytes that are given: such a message goes
    /// out as it came.
    /// </summary>
    public static byte[] WriteAnnotations(ReadOnlySpan<byte> payload, Origin origin, out int originalBytes)
    {
        try
        {
            ReadOnlySpan<byte> existing = FindAnnotations(payload, out originalBytes);
            var output = new ArrayBufferWriter<byte>(AnnotationBytesHint);
            var writer = new AmqpWriter(output);
            MessageRewriter.WriteAnnotations(ref writer, existing, AnnotationsOf(origin));
            writer.Commit();
            return output.WrittenSpan.ToArray();
        }
        catch (AmqpException)
        {
            originalBytes = 0;
            return [];
        }
    }

    /// <summary>
    /// The message-annotations section with those of a modified outcome in it (part 3 section 3.4.5): values of equal
    /// keys are replaced. Broken bytes are a decode error.
    /// </summary>
    public static byte[] MergeAnnotations(
        ReadOnlySpan<byte> payload, ReadOnlySpan<byte> modified, out int originalBytes)
    {
        AmqpMap annotations = ReadAnnotations(payload, out originalBytes);
        var reader = new AmqpReader(modified);
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in AmqpMap.Read(ref reader))
        {
            annotations.Set(entry.Key, entry.Value);
        }

        return AmqpValue.Described(Descriptors.MessageAnnotations, AmqpValue.Map(annotations)).ToEncoded();
    }

    private static AmqpMap ReadAnnotations(ReadOnlySpan<byte> payload, out int bytes)
    {
        ReadOnlySpan<byte> section = FindAnnotations(payload, out bytes);
        if (section.IsEmpty)
        {
            return new AmqpMap();
        }

        var reader = new AmqpReader(section);
        return AmqpMap.Read(ref reader);
    }

    // The encoded map; empty when the payload does not begin with that section.
    private static ReadOnlySpan<byte> FindAnnotations(ReadOnlySpan<byte> payload, out int bytes)
    {
        var reader = new AmqpReader(payload);
        bytes = 0;
        if (NextSection(ref reader, out _) != Descriptors.MessageAnnotations)
        {
            return default;
        }

        int from = reader.Position;
        reader.Skip();
        bytes = reader.Position;
        return payload[from..bytes];
    }

    private static AmqpMap AnnotationsOf(Origin origin)
    {
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-ORIG-ADDRESS", origin.Address);
        annotations.AddSymbol("x-opt-ORIG-QUEUE", origin.Queue);
        annotations.AddSymbol("x-opt-ORIG-MESSAGE-ID", AmqpValue.Long(origin.MessageId));
        annotations.AddSymbol("x-opt-dlq-reason", origin.Reason);
        annotations.AddSymbol("x-opt-dlq-time", AmqpValue.Timestamp(origin.AtMs));
        if (origin.Reason == ExpiredReason)
        {
            annotations.AddSymbol("x-opt-ACTUAL-EXPIRY", AmqpValue.Long(origin.AtMs));
        }

        if (origin.Attempts.Count == 0)
        {
            return annotations;
        }

        var attempts = new AmqpValue[origin.Attempts.Count];
        for (int i = 0; i < attempts.Length; i++)
        {
            FailedAttempt attempt = origin.Attempts[i];
            var entry = new AmqpMap();
            entry.Add("time", AmqpValue.Timestamp(attempt.AtMs));
            entry.Add("consumer", attempt.Consumer);
            entry.Add("reason", attempt.Reason);
            attempts[i] = AmqpValue.Map(entry);
        }

        annotations.AddSymbol("x-opt-dlq-attempts", AmqpValue.List(attempts));
        return annotations;
    }

    // The annotations that clients of JMS use for a delivery delay; the time wins. 0: at once.
    private static long ReadDeliverAt(ReadOnlySpan<byte> annotations, long nowMs)
    {
        long? atMs = null;
        long? delayMs = null;
        foreach (MapView.Enumerator entry in new MapView(annotations))
        {
            if (!entry.Key.IsText || !entry.Value.TryGetInt64(out long value))
            {
                continue;
            }

            if (entry.Key.Content.SequenceEqual("x-opt-delivery-time"u8))
            {
                atMs = value;
            }
            else if (entry.Key.Content.SequenceEqual("x-opt-delivery-delay"u8))
            {
                delayMs = value;
            }
        }

        long dueMs = atMs ?? nowMs + Math.Clamp(delayMs ?? 0, 0, long.MaxValue - nowMs);
        return dueMs > nowMs ? dueMs : 0;
    }

    private static MessageHeader ToHeader(in HeaderSection header, long expiresAtMs) => new()
    {
        Durable = header.Durable,
        Priority = Math.Min(header.Priority ?? MessageHeader.DefaultPriority, (byte)9),
        ExpiresAtMs = expiresAtMs,
        DeliveryCount = header.DeliveryCount,
        Format = PayloadFormat.Amqp,
    };

    private static uint? RemainingTtl(long expiresAtMs, long nowMs) =>
        expiresAtMs == 0 ? null : (uint)Math.Clamp(expiresAtMs - nowMs, 0, uint.MaxValue);

    // The descriptor of the next section (0: unknown), and where it starts.
    private static ulong NextSection(scoped ref AmqpReader reader, out int start)
    {
        start = reader.Position;
        return reader.AtEnd ? EndOfMessage : reader.ReadDescriptor();
    }

    // 0 means never.
    private static long Earlier(long a, long b) => a == 0 || (b != 0 && b < a) ? b : a;

    // Part 3 sections 3.2.1 and 3.2.4: both the ttl and absolute-expiry-time end a message.
    // A group is closed by a sequence of -1, which is the highest number here.
    private static ReadOnlySpan<byte> ReadProperties(
        scoped ref AmqpReader reader, scoped ref long expiresAtMs, out MessageGroup group)
    {
        CompoundHeader list = reader.ReadListHeader();
        ReadOnlySpan<byte> to = default;
        ReadOnlySpan<byte> groupId = default;
        bool isLast = false;
        for (int field = 0; field < list.Count && field <= PropertiesGroupSequence; field++)
        {
            bool isRead = field is PropertiesTo or PropertiesAbsoluteExpiry or PropertiesGroupId
                or PropertiesGroupSequence;
            if (!isRead)
            {
                reader.Skip();
            }
            else if (reader.TryReadNull())
            {
                continue;
            }
            else if (field == PropertiesTo)
            {
                to = reader.ReadStringUtf8();
            }
            else if (field == PropertiesAbsoluteExpiry)
            {
                expiresAtMs = Earlier(expiresAtMs, reader.ReadTimestamp());
            }
            else if (field == PropertiesGroupId)
            {
                groupId = reader.ReadStringUtf8();
            }
            else
            {
                isLast = reader.ReadUInt() == uint.MaxValue;
            }
        }

        group = MessageGroup.Of(groupId, isLast);
        return to;
    }
}
