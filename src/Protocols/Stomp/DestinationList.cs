using Pillarbox.Broker;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>
/// Several destinations in one header, with commas, as ActiveMQ's clients write them: <c>/queue/a,/topic/b</c>. One
/// without a prefix has that of the first.
/// </summary>
internal static class DestinationList
{
    private const char Separator = ',';
    private const StringSplitOptions Splitting =
        StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    /// <summary>The destinations of a list, each once. False: it is a single one, for it has no comma, or an address of
    /// just that name is there.</summary>
    /// <exception cref="StompException">There are too many.</exception>
    public static bool TryRead(string text, BrokerClient client, StompOptions options, out List<string> names)
    {
        names = [];
        if (!IsList(text, client, options))
        {
            return false;
        }

        int max = Math.Min(options.CompositeMax, options.ProducersMax);
        string prefix = "";
        foreach (string one in text.Split(Separator, Splitting))
        {
            string own = Destination.PrefixOf(one, options);
            prefix = names.Count == 0 ? own : prefix;
            string name = own.Length == 0 ? prefix + one : one;
            if (names.Contains(name))
            {
                continue;
            }

            if (names.Count == max)
            {
                throw new StompException($"a message goes to at most {max} destinations at once");
            }

            names.Add(name);
        }

        return names.Count > 0 ? true : throw new StompException("the frame names no destination");
    }

    /// <summary>Whether a text names several destinations.</summary>
    public static bool IsList(string text, BrokerClient client, StompOptions options) =>
        text.Contains(Separator, StringComparison.Ordinal) && text.Length <= Destination.CharsMax
        && !(Destination.TryParse(text, options, null, out Destination whole, out _)
            && client.FindAddress(whole.Name.Address) is not null);
}
