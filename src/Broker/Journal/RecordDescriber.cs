using System.Text;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>A journal record in words.</summary>
/// <param name="Position">Where it begins; for a message, its id.</param>
/// <param name="Bytes">Bytes of its payload.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What it says; message bodies are left out.</param>
/// <param name="IsUnderstood">Whether this program can read it.</param>
public sealed record RecordText(long Position, long Bytes, string Kind, string Text, bool IsUnderstood);

/// <summary>Tells operators what the journal's records say. Pure; never throws on what is in a record.</summary>
public static class RecordDescriber
{
    /// <summary>One record in words.</summary>
    public static RecordText Describe(in LogRecord record)
    {
        FieldReader reader = new(record.Payload);
        (string kind, string? text) = record.Type switch
        {
            RecordKind.AddressCreated => ("address-created", Address(ref reader)),
            RecordKind.AddressDeleted => ("address-deleted", $"{reader.Text()} {reader.Text()}"),
            RecordKind.QueueCreated => ("queue-created", Queue(ref reader)),
            RecordKind.QueueDeleted => ("queue-deleted", $"queue={reader.Varint()}"),
            RecordKind.QueuePaused => ("queue-paused", $"queue={reader.Varint()} paused={reader.Byte() != 0}"),
            RecordKind.QueueExpiry => ("queue-expiry",
                $"queue={reader.Varint()} timeout={reader.SignedVarint()} since={reader.SignedVarint()}"),
            RecordKind.QueueBound => ("queue-bound", $"queue={reader.Varint()} pattern={reader.Text()}"),
            RecordKind.QueueUnbound => ("queue-unbound", $"queue={reader.Varint()} pattern={reader.Text()}"),
            RecordKind.Message => ("message", Message(record.Payload)),
            RecordKind.Relocated => ("relocated", Message(record.Payload)),
            RecordKind.Settled => ("settled", Settled(ref reader, "message", null)),
            RecordKind.RecordSettled => ("record-settled", Settled(ref reader, "partition", "offset")),
            RecordKind.StreamsDecided => ("streams-decided",
                $"producer={reader.Varint()} partitions={reader.Varint()}"),
            RecordKind.QueueMoved => ("queue-moved", Moved(ref reader)),
            RecordKind.Annotated => ("annotated",
                $"queue={reader.Varint()} message={reader.Varint()} priority={reader.Byte()}"),
            RecordKind.AttemptFailed => ("attempt-failed", Attempt(record.Payload)),
            RecordKind.XaPrepared => ("xa-prepared", Prepared(ref reader)),
            RecordKind.XaEnded => ("xa-ended", Ended(ref reader)),
            RecordKind.XaForgotten => ("xa-forgotten", XaRecords.ReadForgotten(ref reader)?.ToString()),
            _ => ($"unknown-{record.Type}", null),
        };
        bool understood = text is not null && !reader.Failed;
        string shown = understood ? text! : "(cannot be read)";
        return new RecordText(record.Position, record.Payload.Length, kind, shown, understood);
    }

    private static string? Prepared(ref FieldReader reader) => XaRecords.ReadPrepared(ref reader) is { } branch
        ? $"xid={branch.Xid} user={branch.Owner.User} messages={branch.Messages.Count} "
            + $"acknowledgements={branch.Settlements.Count}"
        : null;

    private static string? Ended(ref FieldReader reader) =>
        XaRecords.ReadEnded(ref reader, out bool isHeuristic) is { } end
        ? $"xid={end.Xid} {(end.IsCommit ? "committed" : "rolled back")}{(isHeuristic ? " by an operator" : "")}"
        : null;

    private static string Address(ref FieldReader reader)
    {
        string space = reader.Text();
        string address = reader.Text();
        byte types = reader.Byte();
        return $"{space} {address} types={((types & 1) != 0 ? "anycast " : "")}{((types & 2) != 0 ? "multicast" : "")}";
    }

    private static string? Queue(ref FieldReader reader) =>
        BindingJournal.TryReadQueue(ref reader, out RecoveredQueue queue)
            ? $"queue={queue.Id} {queue.Space} {queue.Config.Address}::{queue.Config.Name}"
            : null;

    private static string? Message(ReadOnlySpan<byte> payload)
    {
        if (!MessageRecord.TryRead(payload, out StoredMessage message))
        {
            return null;
        }

        var text = new StringBuilder();
        text.Append(Encoding.UTF8.GetString(message.Address)).Append(" queues=");
        FieldReader ids = new(message.QueueIds);
        for (int i = 0; i < message.QueueCount && !ids.Failed; i++)
        {
            text.Append(i > 0 ? "," : "").Append(ids.Varint());
        }

        long bodyBytes = message.IsLarge ? message.BlobBytes : payload.Length - message.PayloadOffset;
        text.Append(" bytes=").Append(bodyBytes).Append(" priority=").Append(message.Header.Priority);
        text.Append(message.MovedId != 0 ? $" id={message.MovedId}" : "");
        text.Append(message.IsLarge ? $" large={message.BlobId}" : "");
        text.Append(message.Header.Group.IsNone ? "" : $" group={message.Header.Group.Key >> 1:x}");
        text.Append(message.Producer == 0 ? "" : $" producer={message.Producer:x32} number={message.ProducerNumber}");
        text.Append(message.Header.DeliverAtMs != 0 ? $" not-before={message.Header.DeliverAtMs}" : "");
        text.Append(message.Header.ExpiresAtMs != 0 ? $" expires={message.Header.ExpiresAtMs}" : "");
        return text.ToString();
    }

    private static string? Moved(ref FieldReader reader) =>
        FeedPlaces.Read(ref reader, out long queue) is { } places
            ? $"queue={queue} to={string.Join(",", places.Offsets.Select(p => $"{p.Partition}:{p.Offset}"))}"
            : null;

    private static string Settled(ref FieldReader reader, string first, string? second)
    {
        const int NamedMax = 8;
        var text = new StringBuilder();
        int count = 0;
        while (!reader.AtEnd)
        {
            ulong queue = reader.Varint();
            ulong message = reader.Varint();
            ulong detail = second is null ? reader.Byte() : reader.Varint();
            if (++count <= NamedMax)
            {
                text.Append("queue=").Append(queue).Append(' ').Append(first).Append('=').Append(message);
                text.Append(second is null ? "" : $" {second}={detail}").Append("; ");
            }
        }

        return $"{count} settled: {text}{(count > NamedMax ? "…" : "")}";
    }

    private static string? Attempt(ReadOnlySpan<byte> payload) =>
        AttemptRecord.TryRead(payload, out AttemptFields attempt)
            ? $"queue={attempt.QueueId} message={attempt.MessageId} attempts={attempt.Count}"
            : null;
}
