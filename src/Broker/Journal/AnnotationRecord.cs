using System.Buffers;

namespace Pillarbox.Broker.Journal;

/// <summary>The record of annotations that a transaction's commit gives to a message: <c>varint queue, varint message,
/// u8 priority, bytes annotations</c>. It counts until a <see cref="RecordKind.Relocated"/> record has them
/// merged.</summary>
internal static class AnnotationRecord
{
    public static void Write(IBufferWriter<byte> to, in AnnotationFields fields)
    {
        FieldWriter.Varint(to, (ulong)fields.QueueId);
        FieldWriter.Varint(to, (ulong)fields.MessageId);
        FieldWriter.Byte(to, fields.Priority);
        FieldWriter.Bytes(to, fields.Annotations.Span);
    }

    public static bool TryRead(ReadOnlySpan<byte> record, out AnnotationFields fields)
    {
        FieldReader reader = new(record);
        fields = new AnnotationFields(
            (long)reader.Varint(), (long)reader.Varint(), Math.Min(reader.Byte(), (byte)9), reader.Bytes().ToArray());
        return !reader.Failed;
    }
}

/// <summary>Annotations for a message, as the journal has them.</summary>
internal readonly record struct AnnotationFields(
    long QueueId, long MessageId, byte Priority, ReadOnlyMemory<byte> Annotations);
