using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams;

/// <summary>What a partition asks of the records in a client's batch. Pure.</summary>
internal readonly struct RecordRules(StreamConfig config, long nowMs)
{
    private const int RecordErrorsMax = 3;

    /// <summary>Checks the records of a batch, which are not compressed any more, one by one; null when they are as
    /// they should be, and their largest timestamp in milliseconds since the Unix epoch.</summary>
    public AppendResult? Check(in RecordBatch batch, ReadOnlySpan<byte> plain, ref long timestampMaxMs)
    {
        var reader = new RecordReader(plain, batch.Count);
        List<RecordError>? errors = null;
        long largestMs = -1;
        StreamError worst = StreamError.None;
        for (int i = 0; reader.TryRead(out StreamRecord record); i++)
        {
            if (record.OffsetDelta != i)
            {
                return AppendResult.Refused(
                    StreamError.InvalidRecord, $"record {i} has the offset {record.OffsetDelta}");
            }

            long timestampMs = batch.BaseTimestampMs + record.TimestampDelta;
            largestMs = Math.Max(largestMs, timestampMs);
            if (config.IsCompacted && !record.HasKey)
            {
                worst = StreamError.InvalidRecord;
                Note(ref errors, i, "a compacted stream takes no record without a key");
            }
            else if (IsTooFar(timestampMs))
            {
                worst = worst == StreamError.None ? StreamError.InvalidTimestamp : worst;
                Note(ref errors, i, $"its timestamp {timestampMs} is too far from now, {nowMs}");
            }
        }

        if (!reader.IsComplete)
        {
            return AppendResult.Refused(StreamError.InvalidRecord, "the records of the batch cannot be read");
        }

        timestampMaxMs = largestMs;
        if (errors is null)
        {
            return null;
        }

        string first = $"record {errors[0].Index}: {errors[0].Message}";
        return AppendResult.Refused(worst, first) with { RecordErrors = errors };
    }

    // Below zero: it has none.
    private bool IsTooFar(long timestampMs) => !config.IsAppendTime && timestampMs >= 0
        && (timestampMs - nowMs > config.TimestampAfterMaxMs || nowMs - timestampMs > config.TimestampBeforeMaxMs);

    private static void Note(ref List<RecordError>? errors, int index, string message)
    {
        errors ??= [];
        if (errors.Count < RecordErrorsMax)
        {
            errors.Add(new RecordError(index, message));
        }
    }
}
