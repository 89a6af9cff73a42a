using System.Buffers;
using Pillarbox.Broker.Journal;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>What a checkpoint says of a partition.</summary>
/// <param name="StartOffset">The first offset that could be read.</param>
/// <param name="CleanedTo">Compaction had come so far.</param>
/// <param name="NextHorizonMs">When the first tombstone that compaction has met may go; <see cref="long.MaxValue"/>:
/// there is none.</param>
/// <param name="LeaderEpoch">Its epoch.</param>
/// <param name="Mark">How far its log had come.</param>
/// <param name="State">What <see cref="PartitionState"/> wrote at that point.</param>
internal sealed record PartitionCheckpoint(
    long StartOffset, long CleanedTo, long NextHorizonMs, int LeaderEpoch, PartitionMark Mark,
    ReadOnlyMemory<byte> State);

/// <summary>
/// The checkpoint of all partitions of a node: one file, written now and then and at the end, so that a start reads
/// only
/// what was appended since. Reading: once, before the partitions are opened.
/// </summary>
internal sealed class StreamCheckpoint
{
    private const byte Version = 2;

    // It said nothing of tombstones.
    private const byte FirstVersion = 1;
    private readonly Dictionary<(Guid, int), PartitionCheckpoint> _partitions = [];

    private StreamCheckpoint()
    {
    }

    /// <summary>Number of the checkpoint; they count up.</summary>
    public long Number { get; private init; }

    /// <summary>Whether the node ended in order after it.</summary>
    public bool IsClean { get; private set; }

    /// <summary>Files that were damaged.</summary>
    public IReadOnlyList<string> Damaged { get; private init; } = [];

    /// <summary>What it says of a partition; null when nothing.</summary>
    public PartitionCheckpoint? Find(Guid stream, int partition) => _partitions.GetValueOrDefault((stream, partition));

    /// <summary>Reads the newest good checkpoint; an empty one when there is none.</summary>
    public static StreamCheckpoint Read(IFileSystem files, string directory)
    {
        files.CreateDirectory(directory);
        SnapshotSearch search = SnapshotFile.OpenNewest(files, directory);
        if (search.Reader is not { } reader)
        {
            return new StreamCheckpoint { Damaged = search.Damaged };
        }

        return Read(reader, search.Damaged);
    }

    /// <summary>As <see cref="Read(IFileSystem, string)"/>, but changes nothing.</summary>
    public static StreamCheckpoint Peek(IFileSystem files, string directory) =>
        SnapshotFile.FindNewest(files, directory) is { } reader ? Read(reader, []) : new StreamCheckpoint();

    private static StreamCheckpoint Read(SnapshotReader reader, IReadOnlyList<string> damaged)
    {
        using (reader)
        {
            byte[] content = new byte[reader.Length];
            int length = reader.Read(content);
            var checkpoint = new StreamCheckpoint { Number = reader.Position, Damaged = damaged };
            checkpoint.Parse(content.AsMemory(0, length));
            return checkpoint;
        }
    }

    /// <summary>Writes a checkpoint. Everything that it says is durable already.</summary>
    public static void Write(IFileSystem files, string directory, long number, bool isClean, ReadOnlySpan<byte> entries)
    {
        using SnapshotWriter writer = SnapshotFile.Create(files, directory, number);
        writer.Write([Version, isClean ? (byte)1 : (byte)0]);
        writer.Write(entries);
        writer.Complete();
    }

    /// <summary>Adds a partition to the bytes of a checkpoint.</summary>
    public static void WriteEntry(IBufferWriter<byte> to, Guid stream, int partition, PartitionCheckpoint entry)
    {
        Span<byte> id = stackalloc byte[16];
        stream.TryWriteBytes(id);
        FieldWriter.Bytes(to, id);
        FieldWriter.Varint(to, (ulong)partition);
        FieldWriter.Varint(to, (ulong)entry.StartOffset);
        FieldWriter.Varint(to, (ulong)entry.CleanedTo);
        FieldWriter.Varint(to, (ulong)entry.NextHorizonMs);
        FieldWriter.Varint(to, (ulong)entry.LeaderEpoch);
        FieldWriter.Varint(to, (ulong)entry.Mark.NextOffset);
        FieldWriter.Varint(to, (ulong)entry.Mark.Segments.Count);
        foreach (SegmentMark segment in entry.Mark.Segments)
        {
            FieldWriter.Varint(to, (ulong)segment.BaseOffset);
            FieldWriter.Varint(to, (ulong)segment.SizeBytes);
            FieldWriter.Varint(to, (ulong)segment.NextOffset);
            FieldWriter.SignedVarint(to, segment.TimestampFirstMs);
            FieldWriter.SignedVarint(to, segment.TimestampMaxMs);
            FieldWriter.SignedVarint(to, segment.TimestampMaxOffset);
        }

        FieldWriter.Bytes(to, entry.State.Span);
    }

    private void Parse(ReadOnlyMemory<byte> content)
    {
        var reader = new FieldReader(content.Span);
        byte version = reader.Byte();
        if (version is not (FirstVersion or Version))
        {
            return;
        }

        IsClean = reader.Byte() != 0;
        while (!reader.AtEnd && !reader.Failed)
        {
            ReadOnlySpan<byte> id = reader.Bytes();
            int partition = (int)reader.Varint();
            PartitionCheckpoint entry = ReadEntry(ref reader, version);
            if (!reader.Failed && id.Length == 16)
            {
                _partitions[(new Guid(id), partition)] = entry;
            }
        }
    }

    private static PartitionCheckpoint ReadEntry(ref FieldReader reader, byte version)
    {
        long startOffset = (long)reader.Varint();
        long cleanedTo = (long)reader.Varint();
        long nextHorizonMs = version == FirstVersion ? long.MaxValue : (long)reader.Varint();
        int leaderEpoch = (int)reader.Varint();
        long nextOffset = (long)reader.Varint();
        var segments = new List<SegmentMark>();
        for (ulong left = reader.Varint(); left > 0 && !reader.Failed; left--)
        {
            long baseOffset = (long)reader.Varint();
            int sizeBytes = (int)reader.Varint();
            long segmentNext = (long)reader.Varint();
            long first = reader.SignedVarint();
            long max = reader.SignedVarint();
            segments.Add(new SegmentMark(baseOffset, sizeBytes, segmentNext, first, max, reader.SignedVarint()));
        }

        byte[] state = reader.Bytes().ToArray();
        return new PartitionCheckpoint(
            startOffset, cleanedTo, nextHorizonMs, leaderEpoch, new PartitionMark(nextOffset, segments), state);
    }
}
