namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>
/// Retained messages of which it is not known yet whether they are taken: as a message, and as a retained one. One that
/// is refused in the end gives its place back to the one before, unless a later one has it. Under the store's lock.
/// </summary>
internal sealed class UndecidedRetains
{
    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);

    /// <summary>A message takes the place of another one (null: there was none), and it is not decided that it may.
    /// </summary>
    public void Begin(RetainedMessage message, RetainedMessage? older)
    {
        if (!_topics.TryGetValue(message.Topic, out Topic? topic))
        {
            topic = new Topic { Last = older };
            _topics[message.Topic] = topic;
        }

        topic.Open.Add(new Change(message) { Older = topic.Last });
    }

    /// <summary>A message has the place of its topic now.</summary>
    public void OnSet(RetainedMessage message)
    {
        if (_topics.TryGetValue(message.Topic, out Topic? topic))
        {
            topic.Last = message;
        }
    }

    /// <summary>It is decided. True: the one before (null: none) is to have the place again.</summary>
    public bool End(RetainedMessage message, bool isTaken, out RetainedMessage? older)
    {
        older = null;
        if (!_topics.TryGetValue(message.Topic, out Topic? topic)
            || topic.Open.Find(one => ReferenceEquals(one.Message, message)) is not { } change)
        {
            return false;
        }

        topic.Open.Remove(change);
        if (topic.Open.Count == 0)
        {
            _topics.Remove(message.Topic);
        }

        if (isTaken)
        {
            return false;
        }

        foreach (Change later in topic.Open.Where(later => ReferenceEquals(later.Older, message)))
        {
            later.Older = change.Older;
        }

        older = change.Older;
        return ReferenceEquals(topic.Last, message);
    }

    private sealed class Topic
    {
        public List<Change> Open { get; } = [];

        public RetainedMessage? Last { get; set; }
    }

    private sealed class Change(RetainedMessage message)
    {
        public RetainedMessage Message => message;

        public RetainedMessage? Older { get; set; }
    }
}
