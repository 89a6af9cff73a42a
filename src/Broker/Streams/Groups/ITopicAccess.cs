namespace Pillarbox.Broker.Streams.Groups;

/// <summary>
/// Which topics somebody may know of. Thread-safe. Two that stand for the same user are equal, so that what is found
/// for one is found for the other.
/// </summary>
public interface ITopicAccess
{
    /// <summary>Another object whenever permissions may have changed.</summary>
    object Rules { get; }

    /// <summary>Whether a topic of this name may be known.</summary>
    bool MaySee(string topic);
}

/// <summary>All topics may be known: the node itself asks.</summary>
public sealed class EveryTopic : ITopicAccess
{
    /// <summary>The only one.</summary>
    public static readonly EveryTopic Instance = new();

    private EveryTopic()
    {
    }

    /// <inheritdoc/>
    public object Rules => this;

    /// <inheritdoc/>
    public bool MaySee(string topic) => true;
}
