using System.Text;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>
/// Topics to addresses and back. Levels become words: <c>a/b</c> is <c>a.b</c>. What has a meaning on the other side is
/// escaped, so that no two topics become one address:
/// <code>
/// topic   /    .    *    %    the second of ::    %2F  %2B  %23
/// address .    %2E  %2A  %25  %3A                 /    +    #
/// </code>
/// In filters <c>+</c> becomes <c>*</c>, and <c>#</c> stays. Pure.
/// </summary>
internal static class TopicNames
{
    /// <summary>Whether only the node itself publishes to a topic (§4.7.2).</summary>
    public static bool IsOfNode(ReadOnlySpan<byte> topic) => topic.StartsWith("$SYS/"u8);

    /// <summary>The address of a topic name.</summary>
    public static string ToAddress(ReadOnlySpan<byte> topic) => Convert(topic, isFilter: false);

    /// <summary>The address pattern of a topic filter.</summary>
    public static string ToPattern(ReadOnlySpan<byte> filter) => Convert(filter, isFilter: true);

    /// <summary>The topic of an address.</summary>
    public static byte[] ToTopic(ReadOnlySpan<byte> address)
    {
        var topic = new List<byte>(address.Length + 8);
        for (int i = 0; i < address.Length; i++)
        {
            byte b = address[i];
            if (b == '%' && CodeAt(address, i) is { } code and ('.' or '*' or '%' or ':'))
            {
                topic.Add((byte)code);
                i += 2;
            }
            else if (b is (byte)'/' or (byte)'+' or (byte)'#')
            {
                topic.AddRange(Encoding.ASCII.GetBytes($"%{b:X2}"));
            }
            else
            {
                topic.Add(b == '.' ? (byte)'/' : b);
            }
        }

        return [.. topic];
    }

    private static string Convert(ReadOnlySpan<byte> topic, bool isFilter)
    {
        if (!topic.ContainsAny(".*%:+"u8))
        {
            return Encoding.UTF8.GetString(topic).Replace('/', '.');
        }

        string text = Encoding.UTF8.GetString(topic);
        var address = new StringBuilder(text.Length + 8);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            char? code = c == '%' && !isFilter ? CodeAt(text, i) : null;
            if (code is '/' or '+' or '#')
            {
                address.Append(code.Value);
                i += 2;
                continue;
            }

            _ = c switch
            {
                '/' => address.Append('.'),
                '+' when isFilter => address.Append('*'),
                '.' or '*' or '%' => address.Append('%').Append(((int)c).ToString("X2")),
                ':' when i > 0 && text[i - 1] == ':' => address.Append("%3A"),
                _ => address.Append(c),
            };
        }

        return address.ToString();
    }

    private static char? CodeAt(ReadOnlySpan<byte> text, int at) =>
        at + 2 < text.Length ? CodeOf((char)text[at + 1], (char)text[at + 2]) : null;

    private static char? CodeAt(string text, int at) =>
        at + 2 < text.Length ? CodeOf(text[at + 1], text[at + 2]) : null;

    // Only the codes of the table, in capitals: whatever else follows a percent sign is no code.
    private static char? CodeOf(char high, char low) => (high, low) switch
    {
        ('2', 'E') => '.',
        ('2', 'A') => '*',
        ('2', '5') => '%',
        ('3', 'A') => ':',
        ('2', 'F') => '/',
        ('2', 'B') => '+',
        ('2', '3') => '#',
        _ => null,
    };
}
