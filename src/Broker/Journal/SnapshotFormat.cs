using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// What a snapshot of the index holds: parts of <c>u8 kind, varint length, payload</c>, ended by one of kind <see
/// cref="End"/>.
/// </summary>
internal static class SnapshotFormat
{
    public const byte Head = 1;
    public const byte Address = 2;
    public const byte QueuePart = 3;
    public const byte Entries = 4;
    public const byte Expiries = 5;
    public const byte Attempts = 6;
    public const byte Delays = 7;
    public const byte Bindings = 8;
    public const byte Progress = 9;
    public const byte RecordAttempts = 10;
    public const byte Groups = 11;
    public const byte Producers = 12;
    public const byte XaPrepared = 20;
    public const byte XaHeuristic = 21;
    public const byte End = 255;

    /// <summary>Most bytes of one part: what recovery takes into memory at once.</summary>
    public const int PartBytesMax = 32 << 20;

    private const byte Version = 1;
    private const byte MovedBit = 1;
    private const byte LargeBit = 2;
    private const byte DoomedBit = 4;
    private const byte ExhaustedBit = 8;

    public static void WriteHead(IBufferWriter<byte> to, long lastQueueId)
    {
        FieldWriter.Byte(to, Version);
        FieldWriter.Varint(to, (ulong)lastQueueId);
    }

    public static bool TryReadHead(ref FieldReader from, out long lastQueueId)
    {
        bool known = from.Byte() == Version;
        lastQueueId = (long)from.Varint();
        return known && !from.Failed;
    }

    /// <summary>One entry; ids are written as differences from the one before.</summary>
    public static void WriteEntry(IBufferWriter<byte> to, in QueueEntry entry, long previousId, long blobId)
    {
        bool moved = entry.Position != entry.Id;
        FieldWriter.SignedVarint(to, entry.Id - previousId);
        FieldWriter.Byte(to, (byte)(
            (moved ? MovedBit : 0) | (blobId != 0 ? LargeBit : 0) | (entry.Has(EntryFlags.Doomed) ? DoomedBit : 0)
            | (entry.Has(EntryFlags.Exhausted) ? ExhaustedBit : 0)));
        FieldWriter.Varint(to, (ulong)entry.RecordBytes);
        FieldWriter.Varint(to, entry.DeliveryCount);
        if (moved)
        {
            FieldWriter.Varint(to, (ulong)entry.Position);
        }

        if (blobId != 0)
        {
            FieldWriter.Varint(to, (ulong)blobId);
        }
    }

    public static QueueEntry ReadEntry(ref FieldReader from, long previousId, out long blobId)
    {
        long id = previousId + from.SignedVarint();
        byte bits = from.Byte();
        QueueEntry entry = new()
        {
            Id = id,
            Position = id,
            RecordBytes = (int)Math.Min(from.Varint(), int.MaxValue),
            DeliveryCount = (ushort)Math.Min(from.Varint(), ushort.MaxValue),
            State = EntryState.Ready,
            Flags = EntryFlags.InJournal | ((bits & LargeBit) != 0 ? EntryFlags.Large : 0) | ((bits & DoomedBit) != 0
                ? EntryFlags.Doomed : 0) | ((bits & ExhaustedBit) != 0 ? EntryFlags.Exhausted : 0),
        };
        if ((bits & MovedBit) != 0)
        {
            entry.Position = (long)from.Varint();
        }

        blobId = (bits & LargeBit) != 0 ? (long)from.Varint() : 0;
        return entry;
    }

    public static void WriteAttempts(IBufferWriter<byte> to, byte priority, long id,
        IReadOnlyList<FailedAttempt> attempts)
    {
        FieldWriter.Byte(to, priority);
        FieldWriter.Varint(to, (ulong)id);
        FieldWriter.Varint(to, (ulong)attempts.Count);
        foreach (FailedAttempt attempt in attempts)
        {
            OriginField.WriteAttempt(to, attempt);
        }
    }
}
