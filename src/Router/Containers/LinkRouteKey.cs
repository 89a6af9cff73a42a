using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Router.Containers;

/// <summary>
/// Keys of link routes as routers tell them each other: the class is C and D for a beginning of addresses, E and F for
/// a pattern; C and E when clients send, D and F when they draw. A pattern whose only wildcard is a # at its end is
/// told as the beginning before it.
/// </summary>
internal static class LinkRouteKey
{
    private const string Classes = "CDEF";

    public static string Of(string text, bool isPrefix, bool isForSenders)
    {
        bool isBeginning = isPrefix || (!text.Contains('*') && text.IndexOf('#') == text.Length - 1);
        string bare = isBeginning ? text.TrimEnd('#').TrimEnd('.', '/') : text;
        if (bare.Length == 0)
        {
            // All addresses: as a beginning it would have no text.
            return isForSenders ? "E#" : "F#";
        }

        return $"{(isBeginning ? isForSenders ? 'C' : 'D' : isForSenders ? 'E' : 'F')}{bare}";
    }

    /// <summary>Whether an address key is one of a link route.</summary>
    public static bool Is(string key) => key.Length > 1 && Classes.Contains(key[0], StringComparison.Ordinal);

    /// <summary>Whether it is for links on which clients send.</summary>
    public static bool IsForSenders(string key) => key[0] is 'C' or 'E';

    /// <summary>The pattern of a key.</summary>
    public static TokenPattern PatternOf(string key) => TokenPattern.Parse(TextOf(key));

    /// <summary>The pattern of a key, as it is written.</summary>
    public static string TextOf(string key) => key[0] is 'C' or 'D' ? key[1..] + "/#" : key[1..];
}
