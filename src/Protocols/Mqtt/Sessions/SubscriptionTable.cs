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
}

/// <summary>The subscriptions of one session. Owned by its connection.</summary>
internal sealed class SubscriptionTable
{
    /// <summary>Up to so many are gone through one by one.</summary>
    private const int ListMax = 16;

    private readonly Dictionary<string, Subscription> _all = new(StringComparer.Ordinal);
    private readonly List<Subscription> _list = [];
    private WildcardTree<Subscription>? _tree;
    private List<Subscription>? _found;
    private byte[] _lastTopic = [];
    private Match _lastMatch;
    private bool _lastIsOwn;
    private int _noLocal;

    public int Count => _all.Count;

    public IReadOnlyCollection<Subscription> All => _all.Values;

    /// <summary>Whether one of them leaves out what its client publishes.</summary>
    public bool HasNoLocal => _noLocal > 0;

    public bool TryGet(string text, [NotNullWhen(true)] out Subscription? subscription) =>
        _all.TryGetValue(text, out subscription);

    /// <summary>Adds one, or puts it in place of the one with the same text.</summary>
    public void Set(string text, Subscription subscription)
    {
        Remove(text, out _);
        _all[text] = subscription;
        _lastTopic = [];
        if (subscription.Group is not null)
        {
            return;
        }

        _noLocal += subscription.Options.NoLocal ? 1 : 0;

        _list.Add(subscription);
        if (_tree is not null)
        {
            _tree.Add(subscription.Pattern, subscription);
        }
        else if (_list.Count > ListMax)
        {
            _tree = new WildcardTree<Subscription>();
            _list.ForEach(one => _tree.Add(one.Pattern, one));
        }
    }

    public bool Remove(string text, [NotNullWhen(true)] out Subscription? removed)
    {
        if (!_all.Remove(text, out removed))
        {
            return false;
        }

        _lastTopic = [];
        if (removed.Group is null)
        {
            _noLocal -= removed.Options.NoLocal ? 1 : 0;
            _list.Remove(removed);
            _tree?.Remove(removed.Pattern, removed);
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

        Match match = _tree is null ? Merge(_list, topic, isOwn) : Merge(FindInTree(topic), topic, isOwn);
        _lastTopic = topic.ToArray();
        _lastIsOwn = isOwn;
        _lastMatch = match;
        return match;
    }

    private List<Subscription> FindInTree(ReadOnlySpan<byte> topic)
    {
        List<Subscription> found = _found ??= [];
        found.Clear();
        _tree!.Match(TopicNames.ToAddress(topic), found);
        return found;
    }

    private static Match Merge(List<Subscription> subscriptions, ReadOnlySpan<byte> topic, bool isOwn)
    {
        Match match = Match.None;
        foreach (Subscription one in subscriptions)
        {
            if ((isOwn && one.Options.NoLocal) || !TopicText.Matches(one.Filter, topic))
            {
                continue;
            }

            match = new Match(
                Math.Max(match.Qos, one.Options.Qos),
                match.RetainAsPublished || one.Options.RetainAsPublished,
                one.Id == 0 ? match.Ids : [.. match.Ids, one.Id]);
        }

        return match;
    }

    /// <summary>The text of a filter as a key.</summary>
    public static string KeyOf(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);
}
