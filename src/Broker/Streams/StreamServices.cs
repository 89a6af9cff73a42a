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

    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
