namespace Pillarbox.Storage;

/// <summary>Names of what lies in a node's data directory.</summary>
public static class DataLayout
{
    /// <summary>The log of durable messages and settlements.</summary>
    public const string Journal = "journal";

    /// <summary>Snapshots of the index over the journal.</summary>
    public const string Snapshots = "snapshots";

    /// <summary>Large bodies, one file each.</summary>
    public const string Large = "large";

    /// <summary>Damaged bytes, kept for the operator.</summary>
    public const string Quarantine = "quarantine";

    /// <summary>Overflow of non-durable messages; emptied at start.</summary>
    public const string Spill = "spill";

    /// <summary>What tells this directory from others.</summary>
    public const string Identity = StoreIdentity.FileName;

    /// <summary>Partitions of streams, a folder each stream.</summary>
    public const string Streams = "streams";

    /// <summary>Where the streams stood, now and then.</summary>
    public const string Checkpoints = Streams + "/checkpoints";
}
