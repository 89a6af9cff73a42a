using System.Buffers;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Journal;

/// <summary>The record of a failed attempt: <c>varint queue, varint message, u8 priority, varint count, u8 doom,
/// attempt</c>, and since it may have to wait, <c>i64 due</c> (absent in older records: at once).</summary>
internal static class AttemptRecord
{
    public static void Write(IBufferWriter<byte> to, in AttemptFields fields)
    {
        FieldWriter.Varint(to, (ulong)fields.QueueId);
        FieldWriter.Varint(to, (ulong)fields.MessageId);
        FieldWriter.Byte(to, fields.Priority);
        FieldWriter.Varint(to, fields.Count);
        FieldWriter.Byte(to, (byte)fields.Doom);
        OriginField.WriteAttempt(to, fields.Attempt);
        FieldWriter.Int64(to, fields.DueMs);
    }

    public static bool TryRead(ReadOnlySpan<byte> record, out AttemptFields fields)
    {
        FieldReader reader = new(record);
        fields = new AttemptFields
        {
            QueueId = (long)reader.Varint(),
            MessageId = (long)reader.Varint(),
            Priority = Math.Min(reader.Byte(), (byte)9),
            Count = (ushort)Math.Min(reader.Varint(), ushort.MaxValue),
            Doom = (Doom)reader.Byte(),
            Attempt = OriginField.ReadAttempt(ref reader),
            DueMs = reader.AtEnd ? 0 : reader.Int64(),
        };
        return !reader.Failed;
    }
}

/// <summary>Whether an attempt was the last, and why. Values are on disk.</summary>
internal enum Doom : byte
{
    /// <summary>It was not.</summary>
    None = 0,

    /// <summary>The consumer rejected the message.</summary>
    Rejected = 1,

    /// <summary>There were too many.</summary>
    Exhausted = 2,
}

/// <summary>A failed attempt as the journal has it.</summary>
internal readonly record struct AttemptFields
{
    public long QueueId { get; init; }

    public long MessageId { get; init; }

    public byte Priority { get; init; }

    public ushort Count { get; init; }

    public Doom Doom { get; init; }

    public FailedAttempt Attempt { get; init; }

    /// <summary>When the message may be delivered again, in milliseconds since the Unix epoch; 0: at once.</summary>
    public long DueMs { get; init; }
}
