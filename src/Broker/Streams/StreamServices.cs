using Microsoft.Extensions.Logging;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>What the streams of a node share. Fixed after start.</summary>
internal sealed class StreamServices
{
    public required PartitionStore Store { get; init; }

    public required TimeProvider Time { get; init; }

    public required Model.IRandom Random { get; init; }

    public required ILogger Logger { get; init; }

    public required ReadDeadlines Deadlines { get; init; }

    public required string CheckpointDirectory { get; init; }

    /// <summary>Keys of one partition that one round of compaction remembers.</summary>
    public required int CompactionKeysMax { get; init; }

    /// <summary>Number of the last checkpoint. Upkeep's.</summary>
    public long CheckpointNumber { get; set; }

    /// <summary>What the last run left; null once all partitions are open.</summary>
    public StreamCheckpoint? Checkpoint { get; set; }

    /// <summary>What readers of single records have decoded lately.</summary>
    public Reading.StretchCache Stretches { get; } = new();

    /// <summary>What recovery finds.</summary>
    public StreamRecovery Recovery { get; } = new();

    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
