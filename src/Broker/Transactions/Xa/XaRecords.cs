using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>
/// What the journal and the snapshots hold of branches:
/// <code>
/// prepared   u8 version (2 with records, 3 with offsets too) | xid | owner | i64 started
///            | varint n, n x bytes message record
///            | varint n, n x (varint queue, varint message, u8 priority, u8 outcome, varint count, optional reason)
///            | from version 2 on, records of streams: see HeldRecords; a message may be a record that a queue has read
///            from a stream: see RecordId
///            | with version 3, offsets of groups: see HeldOffsets
/// ended      u8 version | xid | u8 commit | u8 heuristic | i64 when | owner
/// forgotten  u8 version | xid
/// xid        i32 format as signed varint | bytes global | bytes branch        owner  text space, user, client id
/// </code>
/// Only durable messages, and acknowledgements of durable messages and of records that durable queues have read, are in
/// it: the others go with the node.
/// </summary>
internal static class XaRecords
{
    private const byte Version = 1;
    private const byte VersionWithRecords = 2;
    private const byte VersionWithOffsets = 3;

    public static void WritePrepared(IBufferWriter<byte> to, XaBranch branch)
    {
        Transaction transaction = branch.Transaction;
        StagedSettlement[] durable = [.. transaction.Settlements.Where(IsKept)];
        bool hasRecords = transaction.Streams is { Bytes: > 0 }
            || Array.Exists(durable, staged => staged.Delivery.IsRecord);
        byte version = branch.Offsets is not null ? VersionWithOffsets : hasRecords ? VersionWithRecords : Version;
        FieldWriter.Byte(to, version);
        Write(to, branch.Xid);
        Write(to, branch.Owner);
        FieldWriter.Int64(to, branch.StartedAtMs);
        int messages = 0;
        foreach (ref PendingPublish publish in transaction.Publishes.Span)
        {
            messages += publish.InJournal ? 1 : 0;
        }

        FieldWriter.Varint(to, (ulong)messages);
        foreach (ref PendingPublish publish in transaction.Publishes.Span)
        {
            if (publish.InJournal)
            {
                FieldWriter.Bytes(to, transaction.Journal.PayloadAt(publish.Offset, publish.RecordBytes));
            }
        }

        FieldWriter.Varint(to, (ulong)durable.Length);
        foreach (StagedSettlement staged in durable)
        {
            FieldWriter.Varint(to, (ulong)staged.Delivery.Queue.Id);
            FieldWriter.Varint(to, (ulong)staged.Delivery.MessageId);
            FieldWriter.Byte(to, staged.Delivery.Priority);
            FieldWriter.Byte(to, (byte)staged.Outcome);
            FieldWriter.Varint(to, staged.Delivery.DeliveryCount);
            FieldWriter.OptionalText(to, staged.Reason);
        }

        if (version >= VersionWithRecords)
        {
            HeldRecords.Write(to, transaction.Streams?.Batches ?? []);
        }

        branch.Offsets?.Write(to);
    }

    private static bool IsKept(StagedSettlement staged) =>
        staged.Delivery.Queue.IsDurable && (staged.Delivery.Durable || staged.Delivery.IsRecord);

    /// <summary>Null: it cannot be read.</summary>
    public static PreparedRecord? ReadPrepared(ref FieldReader from)
    {
        byte version = from.Byte();
        if (version is not (Version or VersionWithRecords or VersionWithOffsets) || ReadXid(ref from) is not { } xid)
        {
            return null;
        }

        XaOwner owner = ReadOwner(ref from);
        var record = new PreparedRecord(xid, owner, from.Int64());
        ulong messages = from.Varint();
        for (ulong i = 0; i < messages && !from.Failed; i++)
        {
            record.Messages.Add(from.Bytes().ToArray());
        }

        ulong settlements = from.Varint();
        for (ulong i = 0; i < settlements && !from.Failed; i++)
        {
            record.Settlements.Add(new PreparedSettlement(
                (long)from.Varint(), (long)from.Varint(), Math.Min(from.Byte(), (byte)9), (OutcomeBits)from.Byte(),
                (ushort)Math.Min(from.Varint(), ushort.MaxValue), from.OptionalText()));
        }

        if (version >= VersionWithRecords)
        {
            HeldRecords.Read(ref from, record.Batches);
        }

        record.Offsets = version == VersionWithOffsets ? HeldOffsets.Read(ref from) : null;
        return from.Failed ? null : record;
    }

    public static void WriteEnded(IBufferWriter<byte> to, XaHeuristic end, bool isHeuristic)
    {
        FieldWriter.Byte(to, Version);
        Write(to, end.Xid);
        FieldWriter.Byte(to, end.IsCommit ? (byte)1 : (byte)0);
        FieldWriter.Byte(to, isHeuristic ? (byte)1 : (byte)0);
        FieldWriter.Int64(to, end.AtMs);
        Write(to, end.Owner);
    }

    /// <summary>Null: it cannot be read.</summary>
    public static XaHeuristic? ReadEnded(ref FieldReader from, out bool isHeuristic)
    {
        isHeuristic = false;
        if (from.Byte() != Version || ReadXid(ref from) is not { } xid)
        {
            return null;
        }

        bool isCommit = from.Byte() != 0;
        isHeuristic = from.Byte() != 0;
        long atMs = from.Int64();
        XaOwner owner = ReadOwner(ref from);
        return from.Failed ? null : new XaHeuristic(xid, isCommit, atMs, owner);
    }

    public static void WriteForgotten(IBufferWriter<byte> to, Xid xid)
    {
        FieldWriter.Byte(to, Version);
        Write(to, xid);
    }

    public static Xid? ReadForgotten(ref FieldReader from) => from.Byte() == Version ? ReadXid(ref from) : null;

    private static void Write(IBufferWriter<byte> to, Xid xid)
    {
        FieldWriter.SignedVarint(to, xid.FormatId);
        FieldWriter.Bytes(to, xid.GlobalId.Span);
        FieldWriter.Bytes(to, xid.BranchQualifier.Span);
    }

    private static Xid? ReadXid(ref FieldReader from)
    {
        int format = (int)from.SignedVarint();
        ReadOnlySpan<byte> global = from.Bytes();
        ReadOnlySpan<byte> branch = from.Bytes();
        bool isGood = !from.Failed && global.Length is > 0 and <= Xid.PartBytesMax
            && branch.Length <= Xid.PartBytesMax;
        return isGood ? new Xid(format, global, branch) : null;
    }

    private static void Write(IBufferWriter<byte> to, XaOwner owner)
    {
        FieldWriter.Text(to, owner.Space);
        FieldWriter.Text(to, owner.User);
        FieldWriter.Text(to, owner.ClientId);
    }

    private static XaOwner ReadOwner(ref FieldReader from) => new(from.Text(), from.Text(), from.Text());
}

/// <summary>A prepared branch as the disk has it.</summary>
internal sealed record PreparedRecord(Xid Xid, XaOwner Owner, long StartedAtMs)
{
    /// <summary>Message records, each with the queues that get it.</summary>
    public List<byte[]> Messages { get; } = [];

    public List<PreparedSettlement> Settlements { get; } = [];

    /// <summary>Records of streams.</summary>
    public List<HeldBatch> Batches { get; } = [];

    /// <summary>Offsets of groups; null: none.</summary>
    public HeldOffsets? Offsets { get; set; }
}

/// <summary>An acknowledgement that a prepared branch holds.</summary>
internal readonly record struct PreparedSettlement(
    long QueueId, long MessageId, byte Priority, OutcomeBits Outcome, ushort DeliveryCount, string? Reason);
