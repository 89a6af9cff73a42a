using System.Buffers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>Where a queue begins in the partitions of its stream.</summary>
/// <param name="Stream">The stream's id.</param>
/// <param name="Offsets">The first offset of each partition.</param>
internal sealed record FeedPlaces(Guid Stream, IReadOnlyList<(int Partition, long Offset)> Offsets)
{
    private const int IdBytes = 16;

    /// <summary>The places that a start means now; only of one partition when that is named.</summary>
    public static FeedPlaces Of(RecordStream stream, StreamStart start, int? only = null)
    {
        IEnumerable<Partition> partitions = only is not { } number ? stream.Partitions
            : stream.FindPartition(number) is { } found ? [found]
            : throw new BrokerException(BrokerError.NotFound, $"stream '{stream.Name}' has no partition {number}");
        return new FeedPlaces(stream.Id, [.. partitions.Select(p => (p.Number, start.OffsetIn(p)))]);
    }

    /// <summary>As the journal has it: <c>varint queue, 16 bytes stream, varint count, (varint partition, varint
    /// offset)…</c></summary>
    public void Write(IBufferWriter<byte> to, long queueId)
    {
        FieldWriter.Varint(to, (ulong)queueId);
        FieldWriter.Bytes(to, Stream.ToByteArray());
        FieldWriter.Varint(to, (ulong)Offsets.Count);
        foreach ((int partition, long offset) in Offsets)
        {
            FieldWriter.Varint(to, (ulong)partition);
            FieldWriter.Varint(to, (ulong)offset);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null when it is something else.</summary>
    public static FeedPlaces? Read(ref FieldReader from, out long queueId)
    {
        queueId = (long)from.Varint();
        ReadOnlySpan<byte> id = from.Bytes();
        if (id.Length != IdBytes)
        {
            return null;
        }

        List<(int, long)> offsets = [];
        for (ulong left = from.Varint(); left > 0 && !from.Failed; left--)
        {
            int partition = (int)from.Varint();
            offsets.Add((partition, (long)from.Varint()));
        }

        return from.Failed ? null : new FeedPlaces(new Guid(id), offsets);
    }
}
