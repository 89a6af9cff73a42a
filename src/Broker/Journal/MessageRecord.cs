using System.Buffers.Binary;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// The record of a message, in the journal as in the transient log:
/// <code>
/// u8 version | u8 flags | u8 priority | u8 format | u64 publisher | i64 published at | i64 expires at
/// varint delivery count | bytes address | varint queues, varint id each
/// [i64 id of a moved message] [bytes origin] [i64 not before]
/// [u8 more flags [varint group] [16 bytes producer, varint its number]]
/// | [i64 blob id, i64 file length, and perhaps varint
/// replaced, bytes in place of the file's first so many] or the payload to the end
/// </code>
/// </summary>
internal static class MessageRecord
{
    private const byte Version = 1;
    private const byte DurableFlag = 1;
    private const byte LargeFlag = 2;
    private const byte OriginFlag = 4;
    private const byte MovedFlag = 8;
    private const byte MergedFlag = 16;
    private const byte DelayedFlag = 32;
    private const byte MoreFlag = 64;
    private const byte GroupFlag = 1;
    private const byte ProducerFlag = 2;
    private const int FixedBytes = 28;

    /// <summary>Writes everything up to the payload into the open record.</summary>
    public static void WriteHead(LogBatch batch, in MessageHead head, ReadOnlySpan<long> queueIds)
    {
        ReadOnlySpan<byte> address = head.Address.Span;
        int room = FixedBytes + address.Length + ((queueIds.Length + 3) * FieldWriter.VarintBytesMax);
        Span<byte> to = batch.GetSpan(room);
        to[0] = Version;
        to[1] = (byte)((head.Header.Durable ? DurableFlag : 0) | (head.BlobId != 0 ? LargeFlag : 0) | (
            head.Origin is null ? 0 : OriginFlag)
            | (head.MovedId == 0 ? 0 : MovedFlag) | (head.IsMerged ? MergedFlag : 0)
            | (head.Header.DeliverAtMs == 0 ? 0 : DelayedFlag) | (MoreOf(head) == 0 ? 0 : MoreFlag));
        to[2] = head.Header.Priority;
        to[3] = (byte)head.Header.Format;
        BinaryPrimitives.WriteUInt64LittleEndian(to[4..], head.Publisher);
        BinaryPrimitives.WriteInt64LittleEndian(to[12..], head.Header.PublishedAtMs);
        BinaryPrimitives.WriteInt64LittleEndian(to[20..], head.Header.ExpiresAtMs);
        int at = FixedBytes;
        at += FieldWriter.Varint(to[at..], head.Header.DeliveryCount);
        at += FieldWriter.Varint(to[at..], (ulong)address.Length);
        address.CopyTo(to[at..]);
        at += address.Length;
        at += FieldWriter.Varint(to[at..], (ulong)queueIds.Length);
        foreach (long id in queueIds)
        {
            at += FieldWriter.Varint(to[at..], (ulong)id);
        }

        batch.Advance(at);
        WriteTail(batch, head);
    }

    /// <summary>Reads a record; false when it is not one. Slices point into <paramref name="record"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> record, out StoredMessage view)
    {
        view = default;
        if (record.Length < FixedBytes || record[0] != Version)
        {
            return false;
        }

        FieldReader reader = new(record[FixedBytes..]);
        byte flags = record[1];
        uint deliveryCount = (uint)reader.Varint();
        view.Address = reader.Bytes();
        view.AddressOffset = record.Length - reader.Rest.Length - view.Address.Length;
        view.QueueCount = (int)Math.Min(reader.Varint(), int.MaxValue);
        view.QueueIds = reader.Rest;
        for (int i = 0; i < view.QueueCount && !reader.Failed; i++)
        {
            reader.Varint();
        }

        view.MovedId = (flags & MovedFlag) != 0 ? reader.Int64() : 0;
        view.Origin = (flags & OriginFlag) != 0 ? reader.Bytes() : default;
        view.IsMerged = (flags & MergedFlag) != 0;
        long deliverAtMs = (flags & DelayedFlag) != 0 ? reader.Int64() : 0;
        MessageGroup group = (flags & MoreFlag) != 0
            ? ReadMore(ref reader, out view.Producer, out view.ProducerNumber) : default;
        view.IsLarge = (flags & LargeFlag) != 0;
        view.BlobId = view.IsLarge ? reader.Int64() : 0;
        view.BlobBytes = view.IsLarge ? reader.Int64() : 0;
        view.Publisher = BinaryPrimitives.ReadUInt64LittleEndian(record[4..]);
        view.Header = new MessageHeader
        {
            Durable = (flags & DurableFlag) != 0,
            Priority = Math.Min(record[2], (byte)9),
            Format = (PayloadFormat)record[3],
            PublishedAtMs = BinaryPrimitives.ReadInt64LittleEndian(record[12..]),
            ExpiresAtMs = BinaryPrimitives.ReadInt64LittleEndian(record[20..]),
            DeliveryCount = deliveryCount,
            DeliverAtMs = deliverAtMs,
            Group = group,
        };
        if (view.IsLarge && !reader.AtEnd)
        {
            view.BodyReplaced = (long)reader.Varint();
            view.BodyStart = reader.Rest;
        }

        view.PayloadOffset = view.IsLarge ? record.Length : record.Length - reader.Rest.Length;
        return !reader.Failed;
    }

    private static void WriteTail(LogBatch batch, in MessageHead head)
    {
        if (head.MovedId != 0)
        {
            FieldWriter.Int64(batch, head.MovedId);
        }

        if (head.Origin is not null)
        {
            OriginField.Write(batch, head.Origin);
        }

        if (head.Header.DeliverAtMs != 0)
        {
            FieldWriter.Int64(batch, head.Header.DeliverAtMs);
        }

        if (MoreOf(head) != 0)
        {
            WriteMore(batch, head);
        }

        if (head.BlobId != 0)
        {
            FieldWriter.Int64(batch, head.BlobId);
            FieldWriter.Int64(batch, head.BlobBytes);
            if (!head.BodyStart.IsEmpty)
            {
                FieldWriter.Varint(batch, (ulong)head.BodyReplaced);
                batch.Write(head.BodyStart.Span);
            }
        }
    }

    private static byte MoreOf(in MessageHead head) =>
        (byte)((head.Header.Group.IsNone ? 0 : GroupFlag) | (head.Producer is null ? 0 : ProducerFlag));

    private static void WriteMore(LogBatch batch, in MessageHead head)
    {
        FieldWriter.Byte(batch, MoreOf(head));
        if (!head.Header.Group.IsNone)
        {
            FieldWriter.Varint(batch, head.Header.Group.Code);
        }

        if (head.Producer is { } producer)
        {
            FieldWriter.Int64(batch, (long)(ulong)producer.Key);
            FieldWriter.Int64(batch, (long)(ulong)(producer.Key >> 64));
            FieldWriter.Varint(batch, (ulong)head.ProducerNumber);
        }
    }

    private static MessageGroup ReadMore(scoped ref FieldReader reader, out UInt128 producer, out long number)
    {
        (producer, number) = (0, 0);
        byte more = reader.Byte();
        var group = new MessageGroup((more & GroupFlag) != 0 ? (uint)reader.Varint() : 0);
        if ((more & ProducerFlag) != 0)
        {
            ulong low = (ulong)reader.Int64();
            producer = new UInt128((ulong)reader.Int64(), low);
            number = (long)reader.Varint();
        }

        return group;
    }
}

/// <summary>What a message record says before its payload, to write it.</summary>
internal readonly struct MessageHead
{
    public MessageHeader Header { get; init; }

    /// <summary>The address that it was published to, UTF-8.</summary>
    public ReadOnlyMemory<byte> Address { get; init; }

    /// <summary>A hash of the publisher's client id, for no-local.</summary>
    public ulong Publisher { get; init; }

    public Origin? Origin { get; init; }

    /// <summary>The id of a message that compaction moves; 0: this record is its first.</summary>
    public long MovedId { get; init; }

    /// <summary>Whether it moved because annotations were merged into it: it has all of the records before.</summary>
    public bool IsMerged { get; init; }

    /// <summary>The body's file; 0: the payload follows.</summary>
    public long BlobId { get; init; }

    public long BlobBytes { get; init; }

    /// <summary>What stands in front of the file's bytes, in place of its first <see cref="BodyReplaced"/>.</summary>
    public ReadOnlyMemory<byte> BodyStart { get; init; }

    public long BodyReplaced { get; init; }

    /// <summary>Who numbered it, to be remembered with it; null: nobody.</summary>
    public ProducerMemory? Producer { get; init; }

    /// <summary>Its number there.</summary>
    public long ProducerNumber { get; init; }
}

/// <summary>What a message record says, read.</summary>
internal ref struct StoredMessage
{
    public MessageHeader Header;
    public ReadOnlySpan<byte> Address;
    public int AddressOffset;
    public ulong Publisher;
    public int QueueCount;

    /// <summary>The queue ids, as varints.</summary>
    public ReadOnlySpan<byte> QueueIds;

    public long MovedId;
    public bool IsMerged;
    public ReadOnlySpan<byte> Origin;
    public bool IsLarge;
    public long BlobId;
    public long BlobBytes;
    public ReadOnlySpan<byte> BodyStart;
    public long BodyReplaced;
    public int PayloadOffset;

    /// <summary>Who numbered it; 0: nobody.</summary>
    public UInt128 Producer;

    /// <summary>Its number there.</summary>
    public long ProducerNumber;
}
