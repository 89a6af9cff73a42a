using System.Text;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>Topic names and filters as UTF-8 (MQTT 5.0 §4.7). Pure.</summary>
internal static class TopicText
{
    private const byte Separator = (byte)'/';

    /// <summary>Whether text is a topic name: not empty, and without wildcards.</summary>
    public static bool IsName(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAny((byte)'+', (byte)'#');

    /// <summary>Whether text is a topic filter: wildcards fill whole levels, and <c>#</c> is the last.</summary>
    public static bool IsFilter(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return false;
        }

        while (true)
        {
            int end = text.IndexOf(Separator);
            ReadOnlySpan<byte> level = end < 0 ? text : text[..end];
            bool isWild = level.ContainsAny((byte)'+', (byte)'#');
            if (isWild && level.Length > 1)
            {
                return false;
            }

            if (end < 0)
            {
                return true;
            }

            if (level is [(byte)'#'])
            {
                return false;
            }

            text = text[(end + 1)..];
        }
    }

    /// <summary>Whether a topic matches a filter (§4.7.1); those that begin with <c>$</c> are not matched by a
    /// wildcard at the first level (§4.7.2).</summary>
    public static bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        if (topic[0] == '$' && filter[0] is (byte)'+' or (byte)'#')
        {
            return false;
        }

        while (true)
        {
            int filterEnd = filter.IndexOf(Separator);
            int topicEnd = topic.IndexOf(Separator);
            ReadOnlySpan<byte> level = filterEnd < 0 ? filter : filter[..filterEnd];
            ReadOnlySpan<byte> word = topicEnd < 0 ? topic : topic[..topicEnd];
            if (level is [(byte)'#'])
            {
                return true;
            }

            if (level is not [(byte)'+'] && !level.SequenceEqual(word))
            {
                return false;
            }

            if (filterEnd < 0 || topicEnd < 0)
            {
                // The parent of a "#" is matched too.
                return topicEnd < 0 && (filterEnd < 0 || filter[(filterEnd + 1)..] is [(byte)'#']);
            }

            filter = filter[(filterEnd + 1)..];
            topic = topic[(topicEnd + 1)..];
        }
    }

    /// <summary>Takes <c>$share/{group}/{filter}</c> apart (§4.8.2); false when the text is not of that form, or
    /// malformed.</summary>
    public static bool TryShared(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter)
    {
        group = filter = default;
        if (!text.StartsWith("$share/"u8))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = text["$share/"u8.Length..];
        int end = rest.IndexOf(Separator);
        if (end <= 0)
        {
            return false;
        }

        group = rest[..end];
        filter = rest[(end + 1)..];
        return !group.ContainsAny((byte)'+', (byte)'#') && IsFilter(filter);
    }

    /// <summary>Text as a string.</summary>
    public static string ToText(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);
}
