using System.Diagnostics.CodeAnalysis;
using System.Text;
using Pillarbox.Broker.Routing;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>What the subscriptions of a session make of a message: one PUBLISH, whatever number of them matches
/// (MQTT 5.0 §3.3.4).</summary>
internal readonly record struct Match(int Qos, bool RetainAsPublished, int[] Ids)
{
    /// <summary>No subscription wants it.</summary>
    public static readonly Match None = new(-1, false, []);

    public bool IsNone => Qos < 0;

    /// <summary>With one more that wants it.</summary>
    public Match And(Subscription one) => new(
        Math.Max(Qos, one.Options.Qos),
        RetainAsPublished || one.Options.RetainAsPublished,
        one.Id == 0 ? Ids : [.. Ids, one.Id]);
}

/// <summary>
/// The subscriptions of one session: by their text, which for those without wildcards is also the topic that they
/// match; those with wildcards are gone through one by one while they are few, and stand in a tree when they are many.
/// Owned by its connection.
/// </summary>
internal sealed class SubscriptionTable
{
    /// <summary>Up to so many with wildcards are gone through one by one.</summary>
    private const int ListMax = 16;

    private readonly Dictionary<byte[], Subscription> _all = new(TextComparer.Instance);
    private readonly Dictionary<byte[], Subscription>.AlternateLookup<ReadOnlySpan<byte>> _byText;
    private readonly List<Subscription> _wild = [];
    private WildcardTree<Subscription>? _tree;
    private byte[] _lastTopic = [];
    private Match _lastMatch;
    private bool _lastIsOwn;
    private int _noLocal;

    public SubscriptionTable() => _byText = _all.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count => _all.Count;

    public IReadOnlyCollection<Subscription> All => _all.Values;

    /// <summary>Whether one of them leaves out what its client publishes.</summary>
    public bool HasNoLocal => _noLocal > 0;

    public bool TryGet(ReadOnlySpan<byte> text, [NotNullWhen(true)] out Subscription? subscription) =>
        _byText.TryGetValue(text, out subscription);

    /// <summary>Adds one, or puts it in place of the one with the same text.</summary>
    public void Set(Subscription subscription)
    {
        Remove(subscription.Text, out _);
        _all[subscription.Text] = subscription;
        _lastTopic = [];
        if (subscription.Group is not null)
        {
            return;
        }

        _noLocal += subscription.Options.NoLocal ? 1 : 0;
        if (subscription.IsExact)
        {
            return;
        }

        if (_tree is null && _wild.Count == ListMax)
        {
            _tree = new WildcardTree<Subscription>();
            _wild.ForEach(one => _tree.Add(one.Pattern, one));
            _wild.Clear();
        }

        if (_tree is not null)
        {
            _tree.Add(subscription.Pattern, subscription);
        }
        else
        {
            _wild.Add(subscription);
        }
    }

    public bool Remove(ReadOnlySpan<byte> text, [NotNullWhen(true)] out Subscription? removed)
    {
        if (!_byText.Remove(text, out _, out removed))
        {
            return false;
        }

        _lastTopic = [];
        if (removed.Group is not null)
        {
            return true;
        }

        _noLocal -= removed.Options.NoLocal ? 1 : 0;
        if (!removed.IsExact)
        {
            _ = _tree?.Remove(removed.Pattern, removed) ?? _wild.Remove(removed);
        }

        return true;
    }

    /// <summary>What a message to a topic is to this session; <paramref name="isOwn"/>: its client published
    /// it.</summary>
    public Match Find(ReadOnlySpan<byte> topic, bool isOwn)
    {
        if (_lastIsOwn == isOwn && topic.SequenceEqual(_lastTopic))
        {
            return _lastMatch;
        }

        Match match = Match.None;
        if (_byText.TryGetValue(topic, out Subscription? exact) && exact.IsExact && Wants(exact, isOwn))
        {
            match = match.And(exact);
        }

        foreach (Subscription one in _tree is null ? _wild : FindInTree(_tree, topic))
        {
            if (Wants(one, isOwn) && TopicText.Matches(one.Filter, topic))
            {
                match = match.And(one);
            }
        }

        _lastTopic = topic.ToArray();
        _lastIsOwn = isOwn;
        _lastMatch = match;
        return match;
    }

    private static bool Wants(Subscription one, bool isOwn) => !isOwn || !one.Options.NoLocal;

    // What few wildcards there were stands in the tree now, and their list is free for what is found.
    private List<Subscription> FindInTree(WildcardTree<Subscription> tree, ReadOnlySpan<byte> topic)
    {
        _wild.Clear();
        tree.Match(TopicNames.ToAddress(topic), _wild);
        return _wild;
    }

    /// <summary>The text of a filter as a key.</summary>
    public static string KeyOf(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);

    private sealed class TextComparer
        : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly TextComparer Instance = new();

        public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

        public bool Equals(ReadOnlySpan<byte> text, byte[] key) => text.SequenceEqual(key);

        public int GetHashCode(byte[] key) => GetHashCode(key.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> text)
        {
            var hash = new HashCode();
            hash.AddBytes(text);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> text) => text.ToArray();
    }
}
