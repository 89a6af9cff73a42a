using System.Buffers.Binary;
using System.Buffers.Text;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>
/// What a message's properties say of when it is delivered: <c>AMQ_SCHEDULED_DELAY</c>, milliseconds from its sending
/// on, as a number or as text. What asks for more than one delivery (<c>_PERIOD</c>, <c>_REPEAT</c>, <c>_CRON</c>) is
/// refused.
/// </summary>
internal static class ScheduledDelay
{
    private static ReadOnlySpan<byte> Prefix => "AMQ_SCHEDULED_"u8;

    /// <summary>Not before when, in milliseconds since the Unix epoch; 0: at once. Errors: not supported.</summary>
    public static long DeliverAtMs(ReadOnlySpan<byte> properties, long nowMs)
    {
        if (properties.IndexOf(Prefix) < 0)
        {
            return 0;
        }

        long dueMs = 0;
        var scan = new LooseScan(properties);
        int count = scan.Int();
        for (int i = 0; i < count && !scan.HasFailed; i++)
        {
            ReadOnlySpan<byte> name = scan.Take(scan.Short());
            var type = (PrimitiveType)scan.Byte();
            ReadOnlySpan<byte> value = scan.Value(type);
            if (!scan.HasFailed && name.StartsWith(Prefix))
            {
                Take(name[Prefix.Length..], type, value, nowMs, ref dueMs);
            }
        }

        return dueMs > nowMs ? dueMs : 0;
    }

    private static void Take(
        ReadOnlySpan<byte> name, PrimitiveType type, ReadOnlySpan<byte> value, long nowMs, ref long dueMs)
    {
        if (name.SequenceEqual("DELAY"u8))
        {
            long delay = Number(type, value)
                ?? throw Refuse(ThrowableNames.MessageFormat, "AMQ_SCHEDULED_DELAY is no number of milliseconds");
            dueMs = nowMs + Math.Clamp(delay, 0, long.MaxValue - nowMs);
            return;
        }

        bool repeats = name.SequenceEqual("CRON"u8) ? !value.IsEmpty
            : (name.SequenceEqual("PERIOD"u8) || name.SequenceEqual("REPEAT"u8)) && Number(type, value) is not 0;
        if (repeats)
        {
            throw Refuse(
                ThrowableNames.Jms,
                "a message is delivered once here: AMQ_SCHEDULED_PERIOD, _REPEAT and _CRON are not supported");
        }
    }

    private static long? Number(PrimitiveType type, ReadOnlySpan<byte> value) => type switch
    {
        PrimitiveType.Byte => (sbyte)value[0],
        PrimitiveType.Short => BinaryPrimitives.ReadInt16BigEndian(value),
        PrimitiveType.Int => BinaryPrimitives.ReadInt32BigEndian(value),
        PrimitiveType.Long => BinaryPrimitives.ReadInt64BigEndian(value),
        PrimitiveType.String => Utf8Parser.TryParse(value, out long number, out int used) && used == value.Length
            ? number : null,
        _ => null,
    };

    private static OpenWireException Refuse(string type, string message) =>
        new(type, message) { IsCommandOnly = true };
}
