namespace Pillarbox.Storage;

/// <summary>
/// Finds out after a start what the log holds. A bad record is either the torn end of a write that nobody was told
/// of, or
/// damage. Markers tell which: every flush writes one that says how far the log was durable before it. So, for a bad
/// record at r:
/// <code>
///   r ... marker(durable > r)      damage: r was durable. Report it, go on with the next good record.
///   r ... (no such marker)         torn tail: cut at r. What is behind was never acknowledged.
/// </code>
/// A group whose end was cut is cut whole.
/// </summary>
internal sealed class LogRecovery(SegmentTable table, SegmentFiles files, LogOptions options)
{
    private readonly SegmentScanner _scanner = new();
    private readonly List<LogDamage> _damages = [];
    private LogSegment[] _segments = [];
    private int _firstIndex;
    private int _index;
    private long _position;
    private long _groupEnd;
    private long _records;
    private long _incomplete;
    private long _tornRecords;
    private long _tornEnd;
    private bool _isDirtyBehind;

    /// <summary>The segment that appends go on in; null when a new one is needed.</summary>
    public LogSegment? TailSegment { get; private set; }

    /// <summary>Visits, cuts and reports.</summary>
    public RecoveryReport Run(long from, IRecordVisitor visitor, LoadedSegments loaded)
    {
        _segments = table.All;
        _damages.AddRange(loaded.Repaired);
        long floor = Math.Max(from, SegmentedLog.FirstPosition);
        foreach (QuarantinedSegment segment in loaded.Quarantined)
        {
            floor = Math.Max(floor, segment.End);
        }

        long tail = floor;
        if (Begin(from))
        {
            while (Step(visitor))
            {
            }

            Cut();
            tail = Math.Max(_position, floor);
        }

        return Finish(tail, loaded.Quarantined);
    }

    private static long LimitOf(LogSegment[] segments, int index) =>
        index + 1 < segments.Length ? segments[index + 1].BasePosition : long.MaxValue;

    /// <summary>Goes to the first segment to read; false when the log has none.</summary>
    private bool Begin(long from)
    {
        if (_segments.Length == 0)
        {
            if (from > SegmentedLog.FirstPosition)
            {
                _damages.Add(new LogDamage(from, 0, SegmentFiles.NameOf(from), "no segment file is there"));
            }

            return false;
        }

        _position = Math.Max(from, SegmentedLog.FirstPosition);
        if (_position < _segments[0].BasePosition)
        {
            AddMissing(_segments[0].BasePosition);
            _position = _segments[0].BasePosition;
        }

        while (_index + 1 < _segments.Length && _segments[_index + 1].BasePosition <= _position)
        {
            _index++;
        }

        _firstIndex = _index;
        OpenSegment();
        return true;
    }

    private void OpenSegment() => _scanner.Open(_segments[_index], LimitOf(_segments, _index));

    /// <summary>One record, or one stretch of damage. False at the end.</summary>
    private bool Step(IRecordVisitor visitor)
    {
        if (!_scanner.TryRead(_position))
        {
            return SkipDamage(_scanner.Reason);
        }

        RecordHeader header = _scanner.Header;
        if (header.Type == RecordFormat.SealType)
        {
            return NextSegment();
        }

        if (header.Type <= RecordFormat.TypeMax)
        {
            if (header.GroupContinues && _position >= _groupEnd && !IsGroupWhole())
            {
                return false;
            }

            Visit(visitor);
        }

        _position += header.RecordBytes;
        return true;
    }

    private void Visit(IRecordVisitor visitor)
    {
        _records++;
        visitor.Visit(new LogRecord
        {
            Position = _position,
            Type = _scanner.Header.Type,
            GroupContinues = _scanner.Header.GroupContinues,
            Payload = _scanner.Payload,
        });
    }

    private bool NextSegment()
    {
        _position += RecordFormat.SealBytes;
        _segments[_index].End = _position;
        _segments[_index].IsSealed = true;
        if (_index + 1 == _segments.Length)
        {
            return false;
        }

        if (_segments[_index + 1].BasePosition > _position)
        {
            return SkipDamage("the segment file is missing");
        }

        _index++;
        OpenSegment();
        return true;
    }

    /// <summary>True when the group that begins here has its end, or was durable and is damaged inside.</summary>
    private bool IsGroupWhole()
    {
        long at = _position;
        long count = 0;
        bool isWhole;
        while (true)
        {
            if (!_scanner.TryRead(at) || _scanner.Header.Type > RecordFormat.TypeMax)
            {
                isWhole = FindBehind(at).IsDurable;
                _isDirtyBehind |= !isWhole;
                break;
            }

            count++;
            at += _scanner.Header.RecordBytes;
            if (!_scanner.Header.GroupContinues)
            {
                isWhole = true;
                break;
            }
        }

        if (isWhole)
        {
            _groupEnd = at;
            OpenSegment();
            return _scanner.TryRead(_position);
        }

        _incomplete = count;
        _tornEnd = Math.Max(_tornEnd, at);
        return false;
    }

    /// <summary>At a bad record: goes to the next good one if this is damage; false if it is the torn tail.</summary>
    private bool SkipDamage(string reason)
    {
        Behind behind = FindBehind(_position);
        if (!behind.IsDurable)
        {
            return false;
        }

        string name = SegmentFiles.NameOf(_segments[_index].BasePosition);
        _damages.Add(new LogDamage(_position, behind.Position - _position, name, reason));
        _index = behind.Index;
        _position = behind.Position;
        OpenSegment();
        return true;
    }

    /// <summary>What is good behind a bad record, up to the marker that proves it durable, or to the end.</summary>
    private Behind FindBehind(long bad)
    {
        int firstIndex = -1;
        long firstPosition = -1;
        long records = 0;
        for (int i = _index; i < _segments.Length; i++)
        {
            _scanner.Open(_segments[i], LimitOf(_segments, i));
            long at = i == _index ? bad + 1 : _segments[i].BasePosition;
            while ((at = _scanner.FindNext(at)) >= 0)
            {
                if (firstIndex < 0)
                {
                    (firstIndex, firstPosition) = (i, at);
                }

                RecordHeader header = _scanner.Header;
                if (header.Type == RecordFormat.MarkerType && _scanner.ReadMarker() > bad)
                {
                    return new Behind(firstIndex, firstPosition, true);
                }

                records += header.Type <= RecordFormat.TypeMax ? 1 : 0;
                at += header.RecordBytes;
                _tornEnd = Math.Max(_tornEnd, at);
            }
        }

        _tornRecords = records;
        _isDirtyBehind |= firstIndex >= 0;
        OpenSegment();
        return new Behind(firstIndex, firstPosition, false);
    }

    /// <summary>Makes the end of what was read the end of the log, durably, before anything is appended.</summary>
    private void Cut()
    {
        LogSegment last = _segments[_index];
        for (int i = _segments.Length - 1; i > _index; i--)
        {
            files.Drop(_segments[i]);
        }

        long cut = last.BasePosition;
        table.Remove(segment => segment.BasePosition > cut);
        files.FileSystem.SyncDirectory(files.Directory);
        last.End = Math.Min(_position, _scanner.Limit);
        if (!last.IsSealed && last.End == _position)
        {
            SegmentFiles.CutTail(last, _isDirtyBehind, options.SegmentBytes);
            TailSegment = last;
        }
    }

    private RecoveryReport Finish(long tail, IReadOnlyList<QuarantinedSegment> quarantined)
    {
        if (TailSegment is { } open && open.End != tail)
        {
            TailSegment = null;
        }

        foreach (LogSegment segment in table.All)
        {
            segment.IsSealed = segment != TailSegment;
            segment.IsDurable = segment.IsSealed;
        }

        // What was read may be in the system's memory only: after this it is as durable as what it will be told of.
        for (int i = _firstIndex; i <= _index && i < _segments.Length; i++)
        {
            _segments[i].File!.Sync();
        }

        return new RecoveryReport
        {
            Records = _records,
            TailPosition = tail,
            TornBytes = Math.Max(0, _tornEnd - _position),
            TornRecords = _tornRecords,
            IncompleteGroupRecords = _incomplete,
            Damages = _damages,
            Quarantined = quarantined.Select(segment => segment.Name).ToArray(),
        };
    }

    private void AddMissing(long until)
    {
        string name = SegmentFiles.NameOf(_position);
        _damages.Add(new LogDamage(_position, until - _position, name, "the segment file is missing"));
    }

    /// <summary>The first good record behind a bad one, and whether the bad one was durable.</summary>
    private readonly record struct Behind(int Index, long Position, bool IsDurable);
}

/// <summary>A segment whose header could not be read, set aside.</summary>
internal sealed record QuarantinedSegment(string Name, long End);
