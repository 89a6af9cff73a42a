using System.Buffers;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Journal;

/// <summary>The record of a failed attempt: <c>varint queue, varint message, u8 priority, varint count, u8 doomed,
/// attempt</c>.</summary>
internal static class AttemptRecord
{
    public static void Write(
        IBufferWriter<byte> to, long queueId, long messageId, byte priority, ushort count, bool doomed,
            FailedAttempt attempt)
    {
        FieldWriter.Varint(to, (ulong)queueId);
        FieldWriter.Varint(to, (ulong)messageId);
        FieldWriter.Byte(to, priority);
        FieldWriter.Varint(to, count);
        FieldWriter.Byte(to, doomed ? (byte)1 : (byte)0);
        OriginField.WriteAttempt(to, attempt);
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
            Doomed = reader.Byte() != 0,
            Attempt = OriginField.ReadAttempt(ref reader),
        };
        return !reader.Failed;
    }
}

/// <summary>A failed attempt as recovery reads it.</summary>
internal readonly record struct AttemptFields
{
    public long QueueId { get; init; }

    public long MessageId { get; init; }

    public byte Priority { get; init; }

    public ushort Count { get; init; }

    public bool Doomed { get; init; }

    public FailedAttempt Attempt { get; init; }
}
