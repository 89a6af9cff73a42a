using System.Text;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>Topic aliases that the node sets towards a client (MQTT 5.0 §3.3.2.3.4): the first topics have them. Owned
/// by its connection.</summary>
internal sealed class SentAliases(int max)
{
    private Dictionary<string, ushort>? _aliases;

    /// <summary>The alias of a topic, 0 for none; <paramref name="isNew"/>: the client does not know it yet.</summary>
    public ushort Of(ReadOnlySpan<byte> topic, out bool isNew)
    {
        isNew = false;
        if (max == 0)
        {
            return 0;
        }

        _aliases ??= new Dictionary<string, ushort>(StringComparer.Ordinal);
        Span<char> text = stackalloc char[Math.Min(topic.Length, 256)];
        if (topic.Length > text.Length)
        {
            return 0;
        }

        text = text[..Encoding.UTF8.GetChars(topic, text)];
        var lookup = _aliases.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(text, out ushort alias))
        {
            return alias;
        }

        if (_aliases.Count >= max)
        {
            return 0;
        }

        isNew = true;
        alias = (ushort)(_aliases.Count + 1);
        lookup[text] = alias;
        return alias;
    }
}
