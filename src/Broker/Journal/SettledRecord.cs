using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>The records of one settlement: <c>varint queue, varint message, u8 priority</c>, or of a stream's record
/// <c>varint queue, varint partition, varint offset</c>.</summary>
internal static class SettledRecord
{
    public static void Write(LogBatch batch, long queueId, long messageId, byte priority)
    {
        if (RecordId.Is(messageId))
        {
            batch.Begin(RecordKind.RecordSettled);
            FieldWriter.Varint(batch, (ulong)queueId);
            FieldWriter.Varint(batch, (ulong)RecordId.Partition(messageId));
            FieldWriter.Varint(batch, (ulong)RecordId.Offset(messageId));
        }
        else
        {
            batch.Begin(RecordKind.Settled);
            FieldWriter.Varint(batch, (ulong)queueId);
            FieldWriter.Varint(batch, (ulong)messageId);
            FieldWriter.Byte(batch, priority);
        }

        batch.End();
    }
}
