namespace Pillarbox.Broker.Streams.Reading;

/// <summary>
/// An address that also says how a stream is read, as Event Hubs' clients write it: <c>stream</c>,
/// <c>stream/ConsumerGroups/group</c> or <c>stream/ConsumerGroups/group/Partitions/number</c>.
/// </summary>
/// <param name="Stream">The stream, or the whole address when it says no more.</param>
/// <param name="Group">The consumer group; null: the address names none. See <see cref="NoGroup"/>.</param>
/// <param name="Partition">The partition's number as it is written; null: the address names none.</param>
public readonly record struct StreamAddress(string Stream, string? Group, string? Partition)
{
    /// <summary>The group that is none.</summary>
    public const string NoGroup = "$Default";

    private const string GroupsMark = "/ConsumerGroups/";
    private const string PartitionsMark = "/Partitions/";

    /// <summary>Takes an address apart.</summary>
    public static StreamAddress Parse(string address)
    {
        int groups = address.IndexOf(GroupsMark, StringComparison.Ordinal);
        if (groups < 0)
        {
            return new StreamAddress(address, null, null);
        }

        string rest = address[(groups + GroupsMark.Length)..];
        int partitions = rest.IndexOf(PartitionsMark, StringComparison.Ordinal);
        return partitions < 0
            ? new StreamAddress(address[..groups], rest, null)
            : new StreamAddress(address[..groups], rest[..partitions], rest[(partitions + PartitionsMark.Length)..]);
    }
}
