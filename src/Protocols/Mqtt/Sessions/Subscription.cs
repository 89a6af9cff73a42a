using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>A subscription of a session. Owned by its connection.</summary>
internal sealed class Subscription
{
    private Subscription(byte[] text, byte[] filter, byte[]? group, SubscriptionOptions options, int id)
    {
        Text = text;
        Filter = filter;
        Group = group;
        Options = options;
        Id = id;
        Pattern = TopicNames.ToPattern(filter);
    }

    /// <summary>As the client wrote it.</summary>
    public byte[] Text { get; }

    /// <summary>Whether it is of one topic, and the session's alone.</summary>
    public bool IsExact => Group is null && TopicText.IsName(Filter);

    /// <summary>What topics are matched against; without <c>$share/group/</c>.</summary>
    public byte[] Filter { get; }

    /// <summary>The name of the group that shares it; null: it is the session's alone.</summary>
    public byte[]? Group { get; }

    public SubscriptionOptions Options { get; }

    /// <summary>The subscription identifier; 0: none.</summary>
    public int Id { get; }

    /// <summary>The address pattern of the filter.</summary>
    public string Pattern { get; }

    /// <summary>The consumer on the group's queue.</summary>
    public Consumer? Consumer { get; set; }

    /// <summary>The consumers on the streams that the group follows.</summary>
    public StreamConsumers? Streams { get; set; }

    /// <summary>The group's queue.</summary>
    public string SharedQueue => SessionNames.SharedQueue(Group!, Filter);

    /// <summary>What a message of the group's queue is to this member: nothing when the topic begins with <c>$</c> and
    /// the filter with a wildcard (§4.7.2), which address patterns do not tell apart.</summary>
    public Match MatchOf(ReadOnlySpan<byte> topic) =>
        topic is [(byte)'$', ..] && Filter[0] is (byte)'+' or (byte)'#'
            ? Match.None
            : new Match(Options.Qos, Options.RetainAsPublished, Id == 0 ? [] : [Id]);

    /// <summary>From the text of a SUBSCRIBE; null when it is no topic filter.</summary>
    public static Subscription? Parse(ReadOnlySpan<byte> text, SubscriptionOptions options, int id)
    {
        if (TopicText.TryShared(text, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter))
        {
            return new Subscription(text.ToArray(), filter.ToArray(), group.ToArray(), options, id);
        }

        if (text.StartsWith("$share/"u8) || !TopicText.IsFilter(text))
        {
            return null;
        }

        byte[] whole = text.ToArray();
        return new Subscription(whole, whole, null, options, id);
    }
}
