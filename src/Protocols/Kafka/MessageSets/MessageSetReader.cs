using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.MessageSets;

/// <summary>From message sets of formats 0 and 1, which old clients produce, to a record batch.</summary>
internal static class MessageSetReader
{
    /// <summary>
    /// Adds the messages of a set to the builder; format 0 has no timestamps and gets <paramref name="nowMs"/>. What
    /// decompression makes is bounded by <paramref name="bytesMax"/>.
    /// </summary>
    public static ErrorCode Convert(ReadOnlySpan<byte> set, long nowMs, int bytesMax, RecordBatchBuilder builder)
    {
        builder.Begin(new RecordBatchOptions());
        return Add(set, nowMs, bytesMax, builder, isNested: false);
    }

    private static ErrorCode Add(
        ReadOnlySpan<byte> set, long nowMs, int bytesMax, RecordBatchBuilder builder, bool isNested)
    {
        while (!set.IsEmpty)
        {
            if (!OldMessage.TryRead(set, out OldMessage message))
            {
                return ErrorCode.CorruptMessage;
            }

            set = set[message.Bytes.Length..];
            ErrorCode error = ErrorCode.None;
            if (message.Compression != RecordCompression.None)
            {
                error = isNested ? ErrorCode.InvalidRecord : AddCompressed(message, nowMs, bytesMax, builder);
            }
            else
            {
                builder.Add(new RecordContent
                {
                    TimestampMs = message.TimestampMs < 0 ? nowMs : message.TimestampMs,
                    HasKey = message.HasKey,
                    Key = message.Key,
                    HasValue = message.HasValue,
                    Value = message.Value,
                });
            }

            if (error != ErrorCode.None)
            {
                return error;
            }
        }

        return builder.Count > 0 ? ErrorCode.None : ErrorCode.InvalidRecord;
    }

    // A compressed message holds a set as its value. Zstandard came with the batches that took the sets' place.
    private static ErrorCode AddCompressed(
        in OldMessage message, long nowMs, int bytesMax, RecordBatchBuilder builder)
    {
        if (message.Compression == RecordCompression.Zstd)
        {
            return ErrorCode.UnsupportedCompressionType;
        }

        using var inner = new PooledBuffer(bytesMax);
        return RecordCodec.TryDecompress(message.Compression, message.Value, inner) switch
        {
            CodecFault.None => Add(inner.WrittenSpan, nowMs, bytesMax, builder, isNested: true),
            CodecFault.TooLarge => ErrorCode.MessageTooLarge,
            CodecFault.Unsupported => ErrorCode.UnsupportedCompressionType,
            _ => ErrorCode.CorruptMessage,
        };
    }
}
