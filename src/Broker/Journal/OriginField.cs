using System.Buffers;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Journal;

/// <summary>Where a message came from, as a length-prefixed field.</summary>
internal static class OriginField
{
    /// <summary>Most failed attempts that are kept.</summary>
    public const int AttemptsMax = 20;

    public static void Write(IBufferWriter<byte> to, Origin origin)
    {
        ArrayBufferWriter<byte> field = new();
        FieldWriter.Text(field, origin.Address);
        FieldWriter.Text(field, origin.Queue);
        FieldWriter.Int64(field, origin.MessageId);
        FieldWriter.Text(field, origin.Reason);
        FieldWriter.Int64(field, origin.AtMs);
        FieldWriter.Varint(field, (ulong)origin.Attempts.Count);
        foreach (FailedAttempt attempt in origin.Attempts)
        {
            WriteAttempt(field, attempt);
        }

        FieldWriter.Bytes(to, field.WrittenSpan);
    }

    public static Origin? Read(ReadOnlySpan<byte> field)
    {
        FieldReader reader = new(field);
        string address = reader.Text();
        string queue = reader.Text();
        long id = reader.Int64();
        string reason = reader.Text();
        long at = reader.Int64();
        int count = (int)Math.Min(reader.Varint(), AttemptsMax);
        List<FailedAttempt> attempts = [];
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            attempts.Add(ReadAttempt(ref reader));
        }

        return reader.Failed ? null : new Origin(address, queue, id, reason, at, attempts);
    }

    public static void WriteAttempt(IBufferWriter<byte> to, FailedAttempt attempt)
    {
        FieldWriter.Int64(to, attempt.AtMs);
        FieldWriter.Text(to, attempt.Consumer);
        FieldWriter.OptionalText(to, attempt.Reason);
    }

    public static FailedAttempt ReadAttempt(ref FieldReader reader) =>
        new(reader.Int64(), reader.Text(), reader.OptionalText());
}
