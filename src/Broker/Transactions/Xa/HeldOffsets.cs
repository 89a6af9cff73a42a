using System.Buffers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Streams;

namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>
/// The offsets of consumer groups that a prepared branch commits. They stand in the groups' own stream as a transaction
/// of a producer of the node, which stays open until the branch ends: whoever gets one of those partitions meanwhile is
/// told to wait. In the branch's record:
/// <code>
/// varint producer, varint n, n x (bytes stream, varint partition, varint first offset)
/// </code>
/// </summary>
/// <param name="ProducerId">The producer; nobody else has it until the branch has ended.</param>
/// <param name="Parts">Where the transaction begins in partitions of the groups' stream.</param>
internal sealed record HeldOffsets(long ProducerId, IReadOnlyList<HeldPart> Parts)
{
    private const int IdBytes = 16;

    public static HeldOffsets Of(long producerId, IEnumerable<SpannedPart> parts) => new(
        producerId,
        [.. parts.Select(part => new HeldPart(part.Partition.Stream.Id, part.Partition.Number, part.FirstOffset))]);

    /// <summary>Whether what a producer has open in a partition is this.</summary>
    public bool Holds(long producerId, Partition partition, long firstOffset) => producerId == ProducerId
        && Parts.Contains(new HeldPart(partition.Stream.Id, partition.Number, firstOffset));

    /// <summary>The parts in partitions that are still there.</summary>
    public IReadOnlyList<SpannedPart> Find(StreamCatalog? catalog)
    {
        List<SpannedPart> found = [];
        foreach (HeldPart part in Parts)
        {
            if (catalog?.Find(part.Stream)?.FindPartition(part.Partition) is { } partition)
            {
                found.Add(new SpannedPart(partition, part.FirstOffset, partition.EndOffset));
            }
        }

        return found;
    }

    public void Write(IBufferWriter<byte> to)
    {
        FieldWriter.Varint(to, (ulong)ProducerId);
        FieldWriter.Varint(to, (ulong)Parts.Count);
        foreach (HeldPart part in Parts)
        {
            FieldWriter.Bytes(to, part.Stream.ToByteArray());
            FieldWriter.Varint(to, (ulong)part.Partition);
            FieldWriter.Varint(to, (ulong)part.FirstOffset);
        }
    }

    public static HeldOffsets Read(ref FieldReader from)
    {
        long producerId = (long)from.Varint();
        List<HeldPart> parts = [];
        for (ulong left = from.Varint(); left > 0 && !from.Failed; left--)
        {
            ReadOnlySpan<byte> id = from.Bytes();
            int partition = (int)from.Varint();
            long firstOffset = (long)from.Varint();
            if (!from.Failed && id.Length == IdBytes)
            {
                parts.Add(new HeldPart(new Guid(id), partition, firstOffset));
            }
        }

        return new HeldOffsets(producerId, parts);
    }
}

/// <summary>Where a held transaction begins in a partition.</summary>
internal readonly record struct HeldPart(Guid Stream, int Partition, long FirstOffset);
