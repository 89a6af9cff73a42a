using System.Globalization;
using System.Text.RegularExpressions;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// Where a receiver on a stream begins, as its source's filters say: <c>rabbitmq:stream-offset-spec</c> (a word, an
/// offset, a timestamp, or a span of time back such as <c>5m</c>), or a selector over the annotations of Event Hubs
/// (<c>amqp.annotation.x-opt-offset > '17'</c>).
/// </summary>
internal static partial class StreamFilters
{
    /// <summary>The filter of RabbitMQ's clients.</summary>
    public const string OffsetSpec = "rabbitmq:stream-offset-spec";

    private const int SelectorCharsMax = 256;

    /// <summary>Whether a filter says where to begin; then the place. Errors: invalid-field.</summary>
    public static bool TryRead(KeyValuePair<AmqpValue, AmqpValue> filter, long nowMs, out StreamStart start)
    {
        start = default;
        AmqpValue value = filter.Value.Undescribed;
        if (filter.Key.AsText() == OffsetSpec || filter.Value.Descriptor.AsText() == OffsetSpec)
        {
            start = OfSpec(value, nowMs);
            return true;
        }

        return filter.Value.DescriptorCode == Descriptors.SelectorFilter
            && value.AsText() is { Length: <= SelectorCharsMax } selector && TryReadSelector(selector, out start);
    }

    private static StreamStart OfSpec(in AmqpValue value, long nowMs)
    {
        if (value.Type == AmqpType.Timestamp)
        {
            return StreamStart.AtTime(value.AsTimestamp());
        }

        if (value.TryGetInt64(out long offset) && offset >= 0)
        {
            return StreamStart.AtOffset(offset);
        }

        return value.AsText() switch
        {
            "first" => StreamStart.First,
            "last" => StreamStart.Last,
            "next" => StreamStart.Next,
            { } span when Span().Match(span) is { Success: true } match => StreamStart.AtTime(nowMs - MsOf(match)),
            _ => throw new AmqpException(
                AmqpErrorCondition.InvalidField,
                $"{OffsetSpec} is 'first', 'last', 'next', an offset, a timestamp or a span of time such as '5m'",
                AmqpSeverity.Link),
        };
    }

    private static long MsOf(Match match)
    {
        long unitMs = match.Groups[2].ValueSpan[0] switch
        {
            'Y' => 365L * 24 * 3600 * 1000,
            'M' => 30L * 24 * 3600 * 1000,
            'D' => 24L * 3600 * 1000,
            'h' => 3600 * 1000,
            'm' => 60 * 1000,
            _ => 1000,
        };
        long count = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return Math.Min(count, long.MaxValue / unitMs) * unitMs;
    }

    private static bool TryReadSelector(string selector, out StreamStart start)
    {
        start = default;
        Match match = Annotation().Match(selector);
        if (!match.Success)
        {
            return false;
        }

        if (match.Groups[3].ValueSpan is "@latest")
        {
            start = StreamStart.Next;
            return true;
        }

        long bound = long.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
        long first = Math.Max(0, match.Groups[2].ValueSpan is ">" ? bound + 1 : bound);
        start = match.Groups[1].ValueSpan is "enqueued-time"
            ? StreamStart.AtTime(first)
            : StreamStart.AtOffset(first);
        return true;
    }

    [GeneratedRegex(@"^([0-9]{1,9})([YMDhms])$")]
    private static partial Regex Span();

    [GeneratedRegex(
        @"^\s*amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time)\s*(>=?)\s*"
        + @"'?(@latest|-?[0-9]{1,18})'?\s*$")]
    private static partial Regex Annotation();
}
