using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>
/// A message's header and bytes, borrowed from the log's cache: dispose it as soon as the bytes are copied out.
/// </summary>
public readonly struct MessageLease : IDisposable
{
    private readonly LogLease _lease;
    private readonly RecordStretch? _stretch;

    internal MessageLease(
        in MessageHeader header, ReadOnlyMemory<byte> address, ReadOnlyMemory<byte> payload, in LogLease lease,
        LargeBody? large, Origin? origin)
    {
        Header = header;
        Address = address;
        Payload = payload;
        _lease = lease;
        Large = large;
        Origin = origin;
    }

    /// <summary>A record of a stream; takes over a hold of its stretch.</summary>
    internal MessageLease(
        in MessageHeader header, ReadOnlyMemory<byte> address, RecordStretch stretch, in RecordPlace place)
    {
        Header = header;
        Address = address;
        Payload = stretch.Record(place);
        Place = new StreamPlace(stretch.Partition.Number, place.Offset, place.TimestampMs);
        _stretch = stretch;
    }

    /// <summary>What the broker knows of it.</summary>
    public MessageHeader Header { get; }

    /// <summary>The address that it was published to, as UTF-8. Valid until disposed.</summary>
    public ReadOnlyMemory<byte> Address { get; }

    /// <summary>The payload as it arrived, or in the consumer's format (empty when <see cref="Large"/> is set). Valid
    /// until disposed.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>Who published it, see <see cref="BrokerClient.PublisherHash"/>.</summary>
    public ulong Publisher { get; internal init; }

    /// <summary>The body's file, for a large message.</summary>
    public LargeBody? Large { get; }

    /// <summary>Where a dead-lettered, expired or moved message came from; null for ordinary ones.</summary>
    public Origin? Origin { get; }

    /// <summary>Where in its stream it is; null for messages of queues.</summary>
    public StreamPlace? Place { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lease.Dispose();
        _stretch?.Release();
    }
}

/// <summary>A large message's payload, read in pieces. Not thread-safe; dispose it when done.</summary>
public abstract class LargeBody : IDisposable
{
    /// <summary>Its length in bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Reads up to <paramref name="buffer"/>'s length from <paramref name="offset"/>; 0 at the end. Verified
    /// against its checksum.</summary>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Why a message is where it is: kept with dead-lettered, expired and moved messages.</summary>
/// <param name="Address">The address it was published to.</param>
/// <param name="Queue">The queue it left.</param>
/// <param name="MessageId">Its id there.</param>
/// <param name="Reason"><c>rejected</c>, <c>max-delivery-attempts</c>, <c>expired</c>, <c>moved</c>,
/// <c>undeliverable</c>.</param>
/// <param name="AtMs">When, in milliseconds since the Unix epoch.</param>
/// <param name="Attempts">Each failed attempt that is known, oldest first (bounded).</param>
public sealed record Origin(
    string Address, string Queue, long MessageId, string Reason, long AtMs, IReadOnlyList<FailedAttempt> Attempts);

/// <summary>One failed attempt to consume a message.</summary>
/// <param name="AtMs">When, in milliseconds since the Unix epoch.</param>
/// <param name="Consumer">The client's name for itself (container id or client id).</param>
/// <param name="Reason">The client's words, or what happened (<c>consumer gone without an outcome</c>).</param>
public sealed record FailedAttempt(long AtMs, string Consumer, string? Reason);
