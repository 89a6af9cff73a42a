using Pillarbox.Broker.Routing;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Destinations;

/// <summary>
/// What a physical name means to the broker: an address, or a queue of one. Wildcards are <c>*</c> for a word and
/// <c>&gt;</c> for the rest; a queue <c>Consumer.X.VirtualTopic.Y</c> is queue <c>Consumer.X.VirtualTopic.Y</c> of the
/// topic <c>VirtualTopic.Y</c>.
/// </summary>
internal sealed record DestinationName(Destination Destination, AddressName Name, RoutingType RoutingType)
{
    private const string VirtualTopic = "VirtualTopic.";
    private const string VirtualConsumer = "Consumer.";
    private const string Advisory = "ActiveMQ.Advisory.";

    /// <summary>Whether it stands for several addresses.</summary>
    public bool IsWildcard => AddressPattern.IsWildcard(Name.Address);

    /// <summary>Whether the node itself publishes there.</summary>
    public bool IsAdvisory => IsAdvisoryTopic(Destination);

    public static bool IsAdvisoryTopic(Destination destination) => destination.IsTopic
        && destination.PhysicalName?.StartsWith(Advisory, StringComparison.Ordinal) == true;

    /// <summary>
    /// The destinations of a name, which may be a list with commas. Errors: invalid destination.
    /// </summary>
    public static List<DestinationName> ParseAll(Destination destination, int compositeMax)
    {
        string physical = destination.PhysicalName ?? "";
        var names = new List<DestinationName>();
        foreach (Range part in physical.AsSpan().Split(','))
        {
            string one = physical[part].Trim();
            if (one.Length == 0 && physical.Length > 0)
            {
                continue;
            }

            names.Add(Parse(WithPrefix(one, destination)));
            if (names.Count > compositeMax)
            {
                throw Invalid($"a destination of more than {compositeMax} names");
            }
        }

        return names.Count > 0 ? names : throw Invalid("the destination is empty");
    }

    /// <summary>A single destination.</summary>
    public static DestinationName Parse(Destination destination)
    {
        string physical = destination.PhysicalName ?? "";
        int options = destination.IsTemporary ? -1 : physical.IndexOf('?', StringComparison.Ordinal);
        physical = options < 0 ? physical : physical[..options];
        RoutingType type = destination.IsTopic ? RoutingType.Multicast : RoutingType.Anycast;
        string text = destination.IsTemporary ? physical : ToPattern(physical);
        if (destination.Kind == DataType.Queue && TopicOfVirtualConsumer(text) is { } topic)
        {
            text = topic + AddressName.Separator + text;
            type = RoutingType.Multicast;
        }

        return AddressName.TryParse(text, out AddressName name, out string? error)
            ? new DestinationName(destination with { PhysicalName = physical }, name, type)
            : throw Invalid(error);
    }

    /// <summary>A queue by its name, whatever characters that has.</summary>
    public static DestinationName OfQueue(string queue) => new(
        new Destination(DataType.Queue) { PhysicalName = queue }, new AddressName(queue, null), RoutingType.Anycast);

    public static OpenWireException Invalid(string message) =>
        new(ThrowableNames.InvalidDestination, message) { IsCommandOnly = true };

    // `>` stands for the rest, also for nothing; the broker's word for it is `#`.
    private static string ToPattern(string physical) => physical == ">" ? AddressPattern.AnyWords
        : physical.EndsWith(".>", StringComparison.Ordinal) ? physical[..^1] + AddressPattern.AnyWords
        : physical;

    // Consumer.NAME.VirtualTopic.REST; the consumer's name is one word. Consumer.*.VirtualTopic.REST is no queue, but
    // stands for several.
    private static string? TopicOfVirtualConsumer(string queue)
    {
        if (!queue.StartsWith(VirtualConsumer, StringComparison.Ordinal))
        {
            return null;
        }

        int end = queue.IndexOf('.', VirtualConsumer.Length);
        return end > VirtualConsumer.Length && !queue.AsSpan(VirtualConsumer.Length, end - VirtualConsumer.Length)
                .SequenceEqual(AddressPattern.SingleWord) && queue.AsSpan(end + 1).StartsWith(VirtualTopic)
            && queue.Length > end + 1 + VirtualTopic.Length
            ? queue[(end + 1)..]
            : null;
    }

    private static Destination WithPrefix(string name, Destination whole)
    {
        (string Prefix, DataType Kind)[] prefixes =
        [
            ("queue://", DataType.Queue), ("topic://", DataType.Topic), ("temp-queue://", DataType.TempQueue),
            ("temp-topic://", DataType.TempTopic),
        ];
        foreach ((string prefix, DataType kind) in prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                return new Destination(kind) { PhysicalName = name[prefix.Length..] };
            }
        }

        return whole with { PhysicalName = name };
    }
}
