using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>A topic that a client publishes to, and its address.</summary>
internal sealed record KnownTopic(byte[] Topic, string Address);

/// <summary>Topics that a client publishes to, so that their addresses are made once; and its aliases for them (MQTT
/// 5.0 §3.3.2.3.4). Owned by its connection.</summary>
internal sealed class TopicTable(int knownMax, int aliasMax)
{
    private Dictionary<byte[], KnownTopic>? _known;
    private KnownTopic?[]? _aliases;
    private KnownTopic? _last;

    /// <summary>The topic with its address.</summary>
    public KnownTopic Get(ReadOnlySpan<byte> topic)
    {
        if (_last is { } last && topic.SequenceEqual(last.Topic))
        {
            return last;
        }

        _known ??= new Dictionary<byte[], KnownTopic>(BytesComparer.Instance);
        var lookup = _known.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (!lookup.TryGetValue(topic, out KnownTopic? known))
        {
            if (_known.Count >= knownMax)
            {
                _known.Clear();
            }

            known = new KnownTopic(topic.ToArray(), TopicNames.ToAddress(topic));
            _known[known.Topic] = known;
        }

        return _last = known;
    }

    /// <summary>Whether the alias is one that the client may use.</summary>
    public bool IsAlias(int alias) => alias >= 1 && alias <= aliasMax;

    /// <summary>From now on the alias means this topic.</summary>
    public void SetAlias(int alias, KnownTopic topic) =>
        (_aliases ??= new KnownTopic?[aliasMax])[alias - 1] = topic;

    public bool TryGetAlias(int alias, [NotNullWhen(true)] out KnownTopic? topic)
    {
        topic = _aliases?[alias - 1];
        return topic is not null;
    }

    private sealed class BytesComparer
        : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly BytesComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] bytes) => GetHashCode(bytes.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
