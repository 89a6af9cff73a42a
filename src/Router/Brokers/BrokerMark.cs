using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Brokers;

/// <summary>
/// How nodes tell each other that an address is one of a broker: who wants its messages draws what the broker gives
/// back
/// (phase 1), not what senders send (phase 0). To other routers the mark is an address like any other. Who sends to it
/// reaches every node whose broker has the address.
/// </summary>
/// <param name="Address">The broker's address.</param>
/// <param name="IsMulticast">Whether everybody who draws gets each message.</param>
internal readonly record struct BrokerMark(string Address, bool IsMulticast)
{
    /// <summary>The phase of what a broker gives back.</summary>
    public const int Phase = 1;

    private const string Queue = "_$broker.queue/";
    private const string Topic = "_$broker.topic/";

    /// <summary>The address that stands for it.</summary>
    public string Name => (IsMulticast ? Topic : Queue) + Address;

    /// <summary>The key that routers tell each other.</summary>
    public string Key => AddressKey.Mobile(Name);

    /// <summary>Whether an address is a mark.</summary>
    public static bool Is(string address) => address.StartsWith(Queue, StringComparison.Ordinal)
        || address.StartsWith(Topic, StringComparison.Ordinal);

    /// <summary>Reads a key; false: it is no mark.</summary>
    public static bool TryParse(string key, out BrokerMark mark)
    {
        ReadOnlySpan<char> name = key.AsSpan(Math.Min(2, key.Length));
        bool isQueue = name.StartsWith(Queue, StringComparison.Ordinal);
        bool isTopic = name.StartsWith(Topic, StringComparison.Ordinal);
        mark = new BrokerMark(isQueue || isTopic ? name[Queue.Length..].ToString() : "", isTopic);
        return isQueue || isTopic;
    }
}
