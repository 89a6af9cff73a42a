using System.Buffers;

namespace Pillarbox.Model.Records;

/// <summary>Writes single records outside of batches. Pure.</summary>
public static class RecordEncoder
{
    /// <summary>Writes a record without its length in front, as <see cref="StreamRecord.TryParse"/> reads it; its
    /// timestamp and offset are relative to nothing, that is 0.</summary>
    public static void Write(IBufferWriter<byte> output, in RecordContent record)
    {
        int length = (Varint.IntBytesMax * 3) + 3 + record.Key.Length + record.Value.Length + record.Headers.Length;
        Span<byte> span = output.GetSpan(length);
        span[..3].Clear();
        int at = 3;
        at += Write(span[at..], record.HasKey, record.Key);
        at += Write(span[at..], record.HasValue, record.Value);
        at += Varint.Write(span[at..], record.HeaderCount);
        record.Headers.CopyTo(span[at..]);
        output.Advance(at + record.Headers.Length);
    }

    private static int Write(Span<byte> target, bool has, ReadOnlySpan<byte> bytes)
    {
        int at = Varint.Write(target, has ? bytes.Length : -1);
        bytes.CopyTo(target[at..]);
        return at + bytes.Length;
    }
}
