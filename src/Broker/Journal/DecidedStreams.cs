using System.Buffers;
using Pillarbox.Broker.Transactions;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// The transactions in streams that the journal has decided to commit. Its record: <c>varint producer, varint count,
/// then each: bytes stream, varint partition, varint first offset</c>.
/// </summary>
internal sealed class DecidedStreams
{
    private const int IdBytes = 16;

    private readonly HashSet<(Guid Stream, int Partition, long FirstOffset)> _decided = [];

    /// <summary>Where the first of them stands; the highest position when there is none.</summary>
    public long From { get; private set; } = long.MaxValue;

    /// <summary>Whether the transaction that begins there is committed.</summary>
    public bool Contains(Guid stream, int partition, long firstOffset) =>
        _decided.Contains((stream, partition, firstOffset));

    public static void Write(IBufferWriter<byte> to, long producerId, IReadOnlyList<SpannedPart> parts)
    {
        FieldWriter.Varint(to, (ulong)producerId);
        FieldWriter.Varint(to, (ulong)parts.Count);
        foreach (SpannedPart part in parts)
        {
            FieldWriter.Bytes(to, part.Partition.Stream.Id.ToByteArray());
            FieldWriter.Varint(to, (ulong)part.Partition.Number);
            FieldWriter.Varint(to, (ulong)part.FirstOffset);
        }
    }

    /// <summary>Takes a record in; false when it is something else.</summary>
    public bool TryAdd(ref FieldReader from, long position)
    {
        _ = from.Varint();
        for (ulong left = from.Varint(); left > 0 && !from.Failed; left--)
        {
            ReadOnlySpan<byte> id = from.Bytes();
            int partition = (int)from.Varint();
            long firstOffset = (long)from.Varint();
            if (id.Length != IdBytes || from.Failed)
            {
                return false;
            }

            _decided.Add((new Guid(id), partition, firstOffset));
        }

        From = Math.Min(From, position);
        return !from.Failed;
    }
}
