namespace Pillarbox.Broker.Streams;

/// <summary>What a stream is made from.</summary>
public sealed record StreamSpec
{
    /// <summary>Its name: 1 to 249 letters, digits, dots, underscores and hyphens.</summary>
    public required string Name { get; init; }

    /// <summary>How many partitions; -1 = the node's default.</summary>
    public int Partitions { get; init; } = -1;

    /// <summary>Settings, by name.</summary>
    public IReadOnlyDictionary<string, string> Config { get; init; } = new Dictionary<string, string>();

    /// <summary>One of the node's own.</summary>
    public bool IsInternal { get; init; }
}

/// <summary>A named stream: partitions with the same settings. Any thread; the catalog changes it.</summary>
public sealed class RecordStream
{
    private volatile StreamConfig _config;
    private volatile Partition[] _partitions = [];

    internal RecordStream(Guid id, StreamSpec spec, StreamConfig config, long createdAtMs)
    {
        Id = id;
        Name = spec.Name;
        IsInternal = spec.IsInternal;
        CreatedAtMs = createdAtMs;
        _config = config;
    }

    /// <summary>Never used again, not even by a later stream of the same name.</summary>
    public Guid Id { get; }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>One of the node's own.</summary>
    public bool IsInternal { get; }

    /// <summary>When it was made, in milliseconds since the Unix epoch.</summary>
    public long CreatedAtMs { get; }

    /// <summary>Its settings; replaced whole.</summary>
    public StreamConfig Config => _config;

    /// <summary>Its partitions by number; the list is replaced when some are added.</summary>
    public IReadOnlyList<Partition> Partitions => _partitions;

    /// <summary>True once it is deleted.</summary>
    public bool IsDeleted { get; internal set; }

    /// <summary>The partition of a number; null when there is none.</summary>
    public Partition? FindPartition(int number)
    {
        Partition[] partitions = _partitions;
        return (uint)number < (uint)partitions.Length ? partitions[number] : null;
    }

    internal void SetPartitions(Partition[] partitions) => _partitions = partitions;

    internal void SetConfig(StreamConfig config)
    {
        _config = config;
        foreach (Partition partition in _partitions)
        {
            partition.Log.Options = config.Partition;
        }
    }
}
