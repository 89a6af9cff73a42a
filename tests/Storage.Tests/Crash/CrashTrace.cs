using System.Buffers.Binary;
using Pillarbox.Model;

namespace Pillarbox.Storage.Tests.Crash;

/// <summary>A record that the trace appended.</summary>
internal sealed record TraceRecord(long Position, long End, byte[] Payload, bool GroupContinues);

/// <summary>
/// A seeded run of appends, groups, flushes, snapshots and reclaims on recorded files. At each sync it makes crash
/// images
/// and checks that each of them recovers to a state that keeps every promise made so far.
/// </summary>
internal sealed class CrashTrace(ulong seed, int imagesPerSync)
{
    private const byte RecordType = 5;
    private readonly SeededRandom _random = new(seed);
    private readonly LogBatch _batch = new();
    private List<TraceRecord> _records = [];
    private HashSet<long> _live = [];
    private RecordingFileSystem _files = new();
    private SegmentedLog? _log;

    public int Images { get; private set; }

    public int TornImages { get; private set; }

    public int Operations { get; private set; }

    public int Recoveries { get; private set; }

    /// <summary>Runs a number of operations, then crashes and goes on from what is left; again and again.</summary>
    public void Run(int generations, int operationsEach)
    {
        for (int generation = 0; generation < generations; generation++)
        {
            Open();
            _files.Syncing = () => CheckImages(imagesPerSync);
            for (int i = 0; i < operationsEach; i++)
            {
                Operations++;
                DoOne(_random.Next(100));
            }

            Crash();
        }
    }

    private void Open()
    {
        _log = SegmentedLog.Open(_files, "log", LogTesting.Small);
        var replay = new TraceReplay(_files, _log);
        _live = replay.Live;
        _records = [.. _records.Where(record => record.End <= replay.From), .. replay.Records];
        foreach (TraceRecord record in replay.Records)
        {
            _live.Add(record.Position);
        }

        foreach (long position in _live)
        {
            Assert.True(_log.AddReferences(position, 1, 10));
        }
    }

    private void DoOne(int dice)
    {
        switch (dice)
        {
            case < 45:
                Append();
                break;
            case < 85:
                _log!.Flush();
                break;
            case < 95:
                Release();
                break;
            default:
                Snapshot();
                break;
        }
    }

    private void Append()
    {
        _batch.Clear();
        int count = 1 + _random.Next(5);
        _batch.Group = _random.Next(3) == 0;
        var payloads = new List<byte[]>();
        for (int i = 0; i < count; i++)
        {
            byte[] payload = new byte[_random.Next(10) == 0 ? _random.Next(3000) : _random.Next(120)];
            _random.Fill(payload);
            payloads.Add(payload);
            _batch.Add(RecordType, payload, references: 1);
        }

        long position = _log!.Append(_batch);
        for (int i = 0; i < count; i++)
        {
            bool continues = _batch.Group && i < count - 1;
            long end = position + RecordFormat.HeaderBytes + payloads[i].Length;
            _records.Add(new TraceRecord(position, end, payloads[i], continues));
            _live.Add(position);
            position = end;
        }
    }

    /// <summary>Releases the oldest half, so that segments die.</summary>
    private void Release()
    {
        foreach (TraceRecord record in _records.Take(_records.Count / 2))
        {
            if (_live.Contains(record.Position) && _random.Next(10) > 0)
            {
                _live.Remove(record.Position);
                _log!.ReleaseReference(record.Position, record.Payload.Length);
            }
        }
    }

    private void Snapshot()
    {
        _log!.Flush();
        long position = _log.DurablePosition;
        using (SnapshotWriter writer = SnapshotFile.Create(_files, "snapshots", position))
        {
            Span<byte> number = stackalloc byte[sizeof(long)];
            foreach (long live in _live.Order())
            {
                BinaryPrimitives.WriteInt64LittleEndian(number, live);
                writer.Write(number);
            }

            writer.Complete();
        }

        _log.Reclaim(SnapshotFile.OldestPosition(_files, "snapshots"));
    }

    private void Crash()
    {
        MemoryFileSystem image = _files.MakeCrashImage(new CrashChoice((CrashKind)_random.Next(5), _random));
        _files.Syncing = null;
        _files = new RecordingFileSystem(image);
    }

    private void CheckImages(int count)
    {
        for (int i = 0; i < count; i++)
        {
            var kind = (CrashKind)(i % 5);
            MemoryFileSystem image = _files.MakeCrashImage(new CrashChoice(kind, _random));
            Images++;
            if (_random.Next(10) == 0)
            {
                CheckCrashInRecovery(image);
            }
            else
            {
                Check(image, goOn: _random.Next(10) == 0);
            }
        }
    }

    /// <summary>Recovers while the power fails again at one of the syncs of the recovery.</summary>
    private void CheckCrashInRecovery(MemoryFileSystem image)
    {
        var files = new RecordingFileSystem(image);
        MemoryFileSystem? second = null;
        files.Syncing = () => second = second is null || _random.Next(2) == 0
            ? files.MakeCrashImage(new CrashChoice((CrashKind)_random.Next(5), _random))
            : second;
        Check(files, goOn: false);
        if (second is not null)
        {
            Recoveries++;
            Check(second, goOn: true);
        }
    }

    private void Check(IFileSystem image, bool goOn)
    {
        long acknowledged = _log!.DurablePosition;
        SegmentedLog log = SegmentedLog.Open(image, "log", LogTesting.Small);
        var replay = new TraceReplay(image, log);
        TornImages += replay.Report.TornBytes > 0 ? 1 : 0;
        CheckRecords(replay, acknowledged);
        CheckLive(replay, log);
        if (goOn)
        {
            CheckGoesOn(image, log, replay);
        }
        else
        {
            log.Dispose();
        }
    }

    private void CheckRecords(TraceReplay replay, long acknowledged)
    {
        Assert.Empty(replay.Report.Damages);
        Assert.Empty(replay.Report.Quarantined);
        Assert.Empty(replay.DamagedSnapshots);
        Assert.True(replay.From <= acknowledged);
        int index = FirstAtOrAbove(replay.From);
        foreach (TraceRecord seen in replay.Records)
        {
            TraceRecord expected = _records[index++];
            Assert.Equal(expected.Position, seen.Position);
            Assert.Equal(expected.Payload, seen.Payload);
            Assert.Equal(expected.GroupContinues, seen.GroupContinues);
        }

        Assert.False(replay.Records is [.., { GroupContinues: true }], "a group without its end was visited");
        Assert.True(index == _records.Count || _records[index].End > acknowledged, "a durable record is missing");
        Assert.True(replay.Report.TailPosition >= acknowledged);
    }

    private int FirstAtOrAbove(long position)
    {
        int index = _records.FindIndex(record => record.Position >= position);
        return index < 0 ? _records.Count : index;
    }

    /// <summary>What the snapshot refers to can be read.</summary>
    private void CheckLive(TraceReplay replay, SegmentedLog log)
    {
        foreach (long position in replay.Live)
        {
            // In memory, so it is complete at once.
            using LogLease lease = log.ReadAsync(position, CancellationToken.None).AsTask().Result;
            TraceRecord? expected = _records.Find(record => record.Position == position);
            Assert.Equal(expected?.Payload, lease.Memory.ToArray());
        }
    }

    private static void CheckGoesOn(IFileSystem image, SegmentedLog log, TraceReplay before)
    {
        for (int i = 0; i < 20; i++)
        {
            log.AppendText($"after the crash {i} {new string('y', i * 20)}", RecordType);
            if (i % 3 == 0)
            {
                log.Flush();
            }
        }

        log.Dispose();
        using SegmentedLog again = SegmentedLog.Open(image, "log", LogTesting.Small);
        var after = new TraceReplay(image, again);
        Assert.Empty(after.Report.Damages);
        Assert.Equal(0, after.Report.TornBytes);
        Assert.Equal(before.Records.Count + 20, after.Records.Count);
        for (int i = 0; i < before.Records.Count; i++)
        {
            Assert.Equal(before.Records[i].Payload, after.Records[i].Payload);
        }
    }
}

/// <summary>Opens snapshot and log as a node does.</summary>
internal sealed class TraceReplay : IRecordVisitor
{
    public TraceReplay(IFileSystem files, SegmentedLog log)
    {
        SnapshotSearch search = SnapshotFile.OpenNewest(files, "snapshots");
        DamagedSnapshots = search.Damaged;
        if (search.Reader is { } reader)
        {
            From = reader.Position;
            byte[] content = new byte[reader.Length];
            Assert.Equal(content.Length, reader.Read(content));
            for (int at = 0; at < content.Length; at += sizeof(long))
            {
                Live.Add(BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan(at)));
            }

            reader.Dispose();
        }

        Report = log.Replay(From, this);
    }

    public long From { get; }

    public HashSet<long> Live { get; } = [];

    public List<TraceRecord> Records { get; } = [];

    public IReadOnlyList<string> DamagedSnapshots { get; }

    public RecoveryReport Report { get; }

    public void Visit(in LogRecord record) =>
        Records.Add(new TraceRecord(
            record.Position, record.EndPosition, record.Payload.ToArray(), record.GroupContinues));
}
