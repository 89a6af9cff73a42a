namespace Pillarbox.Storage.Partitions;

/// <summary>
/// The segments in a stream's folder by partition: the folder is read once for all of its partitions, for to look for
/// each among the files of all would take the square of their number. Immutable.
/// </summary>
internal sealed class FolderListing
{
    private readonly Dictionary<int, List<long>> _bases = [];

    /// <summary>Takes the names of the files apart; others than segments are left out.</summary>
    public FolderListing(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            if (!PartitionSegment.TryParseName(name, PartitionSegment.LogSuffix, out int partition, out long offset))
            {
                continue;
            }

            if (!_bases.TryGetValue(partition, out List<long>? bases))
            {
                _bases[partition] = bases = [];
            }

            bases.Add(offset);
        }

        foreach (List<long> bases in _bases.Values)
        {
            bases.Sort();
        }
    }

    /// <summary>The first offsets of a partition's segments, in order.</summary>
    public IReadOnlyList<long> BasesOf(int partition) =>
        _bases.TryGetValue(partition, out List<long>? bases) ? bases : [];
}
