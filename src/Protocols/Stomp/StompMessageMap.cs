using System.Buffers.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Subscriptions;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>Headers of a SEND that have come already, where their values do not say so: the first one counts.</summary>
[Flags]
internal enum SendHeaders : byte
{
    None = 0,
    Persistent = 1,
    Priority = 2,
    Expires = 4,
    DestinationType = 8,
    GroupSequence = 16,
    Delay = 32,
    Time = 64,
}

/// <summary>What the node reads of a SEND; spans are slices of the frame.</summary>
internal ref struct SendFields
{
    public ReadOnlySpan<byte> Destination;
    public ReadOnlySpan<byte> DestinationType;
    public ReadOnlySpan<byte> ReplyTo;
    public ReadOnlySpan<byte> Receipt;
    public ReadOnlySpan<byte> Transaction;
    public SendHeaders Seen;
    public bool HasReceipt;
    public bool HasTransaction;
    public bool HasLength;
    public bool Persistent;
    public byte Priority;
    public long ExpiresAtMs;
    public ReadOnlySpan<byte> GroupId;
    public bool EndsGroup;
    public long DelayMs;
    public long DeliverAtMs;
}

/// <summary>
/// STOMP frames to the broker's <see cref="MessageHeader"/> and kept payload, and back. A payload is a byte that says
/// whether the body is text or bytes (SEND without or with <c>content-length</c>), header lines in canonical form
/// (1.2's escapes, LF), an empty line, the body. Headers of one hop are not in it.
/// </summary>
internal static class StompMessageMap
{
    /// <summary>The first byte of a payload: the body is text.</summary>
    public const byte Text = (byte)'T';

    /// <summary>The first byte of a payload: the body is bytes.</summary>
    public const byte Bytes = (byte)'B';

    // Ten thousand years: a sum with the clock is a time.
    private const long LongestDelayMs = 10_000L * 366 * 24 * 3600 * 1000;

    private static ReadOnlySpan<byte> Schedule => "AMQ_SCHEDULED_"u8;

    /// <summary>Reads a SEND; all headers that are kept, but destination and reply-to, go to
    /// <paramref name="kept"/>.</summary>
    public static SendFields Read(in FrameHead head, StompVersion version, ref ByteBuilder kept)
    {
        var fields = new SendFields { Priority = MessageHeader.DefaultPriority };
        foreach (FrameHead.Header header in head)
        {
            if (!TryTake(header, ref fields))
            {
                HeaderText.AppendCanonical(ref kept, header.Name, version);
                kept.Append((byte)':');
                HeaderText.AppendCanonical(ref kept, header.Value, version);
                kept.Append((byte)'\n');
            }
        }

        return fields;
    }

    /// <summary>The broker's header of a SEND.</summary>
    public static MessageHeader HeaderOf(in SendFields fields, StompVersion version, long nowMs) => new()
    {
        DeliverAtMs = Math.Max(fields.DeliverAtMs, fields.DelayMs > 0 ? nowMs + fields.DelayMs : 0),
        Group = GroupOf(fields, version),
        Durable = fields.Persistent,
        Priority = fields.Priority,
        ExpiresAtMs = fields.ExpiresAtMs,
        Format = PayloadFormat.Stomp,
    };

    /// <summary>Where the body of a kept payload begins; -1: it is none.</summary>
    public static int BodyAt(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 2 || payload[0] is not (Text or Bytes))
        {
            return -1;
        }

        if (payload[1] == (byte)'\n')
        {
            return 2;
        }

        int end = payload.IndexOf("\n\n"u8);
        return end < 0 ? -1 : end + 2;
    }

    /// <summary>
    /// Appends the head of a MESSAGE (1.2, "MESSAGE"), after the subscription's line: what the node says of it first,
    /// for of repeated headers the first counts, then the lines that came with it.
    /// </summary>
    /// <param name="head">What is appended to.</param>
    /// <param name="subscription">Whose it is.</param>
    /// <param name="delivery">Which it is.</param>
    /// <param name="lease">The message; its payload is <paramref name="payload"/>, or begins with it.</param>
    /// <param name="payload">The kept payload, at least up to the body.</param>
    /// <param name="bodyBytes">The body's length.</param>
    /// <param name="version">The client's version.</param>
    public static void AppendHead(
        ref ByteBuilder head, StompSubscription subscription, in Delivery delivery, in MessageLease lease,
        ReadOnlySpan<byte> payload, long bodyBytes, StompVersion version)
    {
        head.Append(subscription.Prefix);
        AppendIds(ref head, subscription, delivery, version);
        MessageHeader header = lease.Header;
        int bodyAt = BodyAt(payload);
        ReadOnlySpan<byte> lines = payload[1..(bodyAt - 1)];
        if (!HasDestination(lines))
        {
            head.Append("\ndestination:"u8);
            AppendText(ref head, subscription.DestinationOf(lease.Address.Span), version);
        }

        if (payload[0] == Bytes)
        {
            head.Append("\ncontent-length:"u8);
            head.Append(bodyBytes);
        }

        head.Append(header.Durable ? "\npersistent:true\npriority:"u8 : "\npriority:"u8);
        head.Append((long)Math.Min(header.Priority, (byte)9));
        if (header.ExpiresAtMs != 0)
        {
            head.Append("\nexpires:"u8);
            head.Append(header.ExpiresAtMs);
        }

        head.Append("\ntimestamp:"u8);
        head.Append(header.PublishedAtMs);
        if (delivery.DeliveryCount + header.DeliveryCount > 0)
        {
            head.Append("\nredelivered:true"u8);
        }

        AppendOrigin(ref head, lease.Origin, version);
        head.Append((byte)'\n');
        HeaderText.AppendFor(ref head, lines, version);
        head.Append((byte)'\n');
    }

    /// <summary>Appends the head of the MESSAGE that ends a look at a queue, as ActiveMQ writes it.</summary>
    public static void AppendEnd(ref ByteBuilder head, StompSubscription subscription, StompVersion version)
    {
        head.Append(subscription.Prefix);
        head.Append("message-id:0\nbrowser:end\ndestination:"u8);
        AppendText(ref head, subscription.Destination, version);
        head.Append("\n\n"u8);
    }

    // 1.2 acknowledges by "ack", so its message-id can be the message's own; before, message-id is what is named.
    private static void AppendIds(
        ref ByteBuilder head, StompSubscription subscription, in Delivery delivery, StompVersion version)
    {
        head.Append("message-id:"u8);
        if (version == StompVersion.V12)
        {
            head.Append(delivery.Durable ? (byte)'D' : (byte)'T');
            head.Append(delivery.MessageId);
            if (subscription.AckMode == AckMode.Auto)
            {
                return;
            }

            head.Append("\nack:"u8);
        }

        HeldMessages.WriteId(ref head, subscription.Number, subscription.Held.Next);
    }

    private static bool HasDestination(ReadOnlySpan<byte> lines) =>
        lines.StartsWith("destination:"u8) || lines.IndexOf("\ndestination:"u8) >= 0;

    private static void AppendOrigin(ref ByteBuilder head, Origin? origin, StompVersion version)
    {
        if (origin is null)
        {
            return;
        }

        head.Append("\n_AMQ_ORIG_ADDRESS:"u8);
        AppendText(ref head, origin.Address, version);
        head.Append("\n_AMQ_ORIG_QUEUE:"u8);
        AppendText(ref head, origin.Queue, version);
        head.Append("\n_AMQ_ORIG_MESSAGE_ID:"u8);
        head.Append(origin.MessageId);
        head.Append("\ndlqDeliveryFailureCause:"u8);
        AppendText(ref head, origin.Reason, version);
    }

    private static void AppendText(ref ByteBuilder head, string text, StompVersion version)
    {
        ByteBuilder canonical = default;
        HeaderText.AppendEscaped(ref canonical, System.Text.Encoding.UTF8.GetBytes(text));
        HeaderText.AppendFor(ref head, canonical.Span, version);
    }

    // True: the header is the node's to keep, or of one hop.
    private static bool TryTake(in FrameHead.Header header, ref SendFields fields)
    {
        ReadOnlySpan<byte> name = header.Name;
        switch (name.Length)
        {
            case 3 when name.SequenceEqual("ack"u8):
            case 9 when name.SequenceEqual("timestamp"u8):
            case 10 when name.SequenceEqual("message-id"u8):
            case 11 when name.SequenceEqual("redelivered"u8):
            case 12 when name.SequenceEqual("subscription"u8):
                return true;
            case 7 when name.SequenceEqual("receipt"u8):
                Take(ref fields.Receipt, ref fields.HasReceipt, header.Value);
                return true;
            case 7 when name.SequenceEqual("expires"u8):
                fields.ExpiresAtMs = IsFirst(ref fields, SendHeaders.Expires)
                    ? Number(header.Value, long.MaxValue, "expires") : fields.ExpiresAtMs;
                return true;
            case 8 when name.SequenceEqual("priority"u8):
                fields.Priority = IsFirst(ref fields, SendHeaders.Priority)
                    ? (byte)Number(header.Value, 9, "priority") : fields.Priority;
                return true;
            case 8 when name.SequenceEqual("reply-to"u8):
                fields.ReplyTo = fields.ReplyTo.IsEmpty ? header.Value : fields.ReplyTo;
                return true;
            case 10 when name.SequenceEqual("persistent"u8):
                fields.Persistent |= IsFirst(ref fields, SendHeaders.Persistent)
                    && header.Value.SequenceEqual("true"u8);
                return true;
            case 11 when name.SequenceEqual("destination"u8):
                fields.Destination = fields.Destination.IsEmpty ? header.Value : fields.Destination;
                return true;
            case 11 when name.SequenceEqual("transaction"u8):
                Take(ref fields.Transaction, ref fields.HasTransaction, header.Value);
                return true;
            case 14 when name.SequenceEqual("content-length"u8):
                fields.HasLength = true;
                return true;
            case 16 when name.SequenceEqual("destination-type"u8):
                fields.DestinationType = IsFirst(ref fields, SendHeaders.DestinationType)
                    ? header.Value : fields.DestinationType;
                return true;
            case 11 when name.SequenceEqual("JMSXGroupID"u8):
                fields.GroupId = fields.GroupId.IsEmpty ? header.Value : fields.GroupId;
                return false;
            case 12 when name.SequenceEqual("JMSXGroupSeq"u8):
                fields.EndsGroup |= IsFirst(ref fields, SendHeaders.GroupSequence)
                    && header.Value is [(byte)'-', ..];
                return false;
            default:
                if (name.StartsWith(Schedule))
                {
                    TakeSchedule(name[Schedule.Length..], header.Value, ref fields);
                }

                return false;
        }
    }

    // What ActiveMQ's clients write; only one delivery of a message can be asked for.
    private static void TakeSchedule(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref SendFields fields)
    {
        if (name.SequenceEqual("DELAY"u8))
        {
            fields.DelayMs = IsFirst(ref fields, SendHeaders.Delay)
                ? Number(value, LongestDelayMs, "AMQ_SCHEDULED_DELAY") : fields.DelayMs;
        }
        else if (name.SequenceEqual("TIME"u8))
        {
            fields.DeliverAtMs = IsFirst(ref fields, SendHeaders.Time)
                ? Number(value, long.MaxValue, "AMQ_SCHEDULED_TIME") : fields.DeliverAtMs;
        }
        else if (name.SequenceEqual("CRON"u8) || ((name.SequenceEqual("PERIOD"u8) || name.SequenceEqual("REPEAT"u8))
            && !value.SequenceEqual("0"u8)))
        {
            throw new StompException(
                "a message is delivered once here: AMQ_SCHEDULED_PERIOD, _REPEAT and _CRON are not supported");
        }
    }

    private static MessageGroup GroupOf(in SendFields fields, StompVersion version) =>
        fields.GroupId.Contains((byte)'\\')
            ? MessageGroup.Of(
                System.Text.Encoding.UTF8.GetBytes(HeaderText.Decode(fields.GroupId, version)), fields.EndsGroup)
            : MessageGroup.Of(fields.GroupId, fields.EndsGroup);

    // 1.2, "Repeated Header Entries".
    private static bool IsFirst(ref SendFields fields, SendHeaders header)
    {
        bool isFirst = (fields.Seen & header) == 0;
        fields.Seen |= header;
        return isFirst;
    }

    private static void Take(ref ReadOnlySpan<byte> field, ref bool has, ReadOnlySpan<byte> value)
    {
        field = has ? field : value;
        has = true;
    }

    private static long Number(ReadOnlySpan<byte> value, long most, string name) =>
        Utf8Parser.TryParse(value, out long number, out int used) && used == value.Length && number >= 0
            ? Math.Min(number, most)
            : throw new StompException($"'{name}' is no number");
}
