using System.Globalization;

namespace Pillarbox.Storage;

/// <summary>The segments of a log at its start.</summary>
/// <param name="Segments">Those that can be read, by base.</param>
/// <param name="Quarantined">Those that cannot.</param>
/// <param name="Repaired">Headers that were written anew.</param>
internal sealed record LoadedSegments(
    List<LogSegment> Segments, List<QuarantinedSegment> Quarantined, List<LogDamage> Repaired);

/// <summary>A file of full size that waits to become a segment.</summary>
internal sealed record SpareFile(string Path, IFile File, long Bytes);

/// <summary>
/// The files of a log's directory: segments by name, and spare files that are made ahead so that an append never waits
/// for the disk. The last <see cref="LogOptions.ReserveSegments"/> spares are for essential appends. Any thread.
/// </summary>
internal sealed class SegmentFiles(IFileSystem files, string directory, LogOptions options) : IDisposable
{
    public const string SegmentSuffix = ".seg";
    public const string SpareSuffix = ".spare";
    public const string DamagedSuffix = ".damaged";
    private const int ZeroBytes = 1 << 20;

    private readonly Lock _gate = new();
    private readonly List<SpareFile> _spares = [];
    private long _spareNumber;
    private bool _isFull;
    private bool _isWriteRefused;
    private volatile bool _isWanted;
    private volatile bool _isClosed;

    public IFileSystem FileSystem => files;

    public string Directory => directory;

    /// <summary>True when the disk had no room for a spare, or for a write, until there is again.</summary>
    public bool IsFull => Volatile.Read(ref _isFull) || Volatile.Read(ref _isWriteRefused);

    /// <summary>True when no spare beyond the reserve is ready.</summary>
    public bool NeedsSpare
    {
        get
        {
            lock (_gate)
            {
                return _spares.Count <= options.ReserveSegments;
            }
        }
    }

    public static string NameOf(long basePosition) =>
        basePosition.ToString("x16", CultureInfo.InvariantCulture) + SegmentSuffix;

    /// <summary>The position in a segment's name; false when it is no such name.</summary>
    public static bool TryParseName(string name, out long basePosition)
    {
        basePosition = 0;
        return name.Length == 16 + SegmentSuffix.Length
            && long.TryParse(
                name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out basePosition)
            && basePosition >= 0
            && NameOf(basePosition) == name;
    }

    public string PathOf(string name) => directory + "/" + name;

    /// <summary>Takes over the spare files of an earlier run, and makes the reserve. Where the disk has no room, the
    /// log
    /// begins full.</summary>
    public void LoadSpares()
    {
        foreach (string name in files.List(directory, SpareSuffix))
        {
            IFile file = files.Open(PathOf(name), FileOpening.ReadWrite);
            if (file.Length == options.SegmentBytes && _spares.Count < SparesMax && TryParseSpare(name))
            {
                _spares.Add(new SpareFile(PathOf(name), file, file.Length));
            }
            else
            {
                file.Dispose();
                files.Delete(PathOf(name));
            }
        }

        while (_spares.Count < options.ReserveSegments && MakeSpare(zeroFill: false))
        {
        }
    }

    /// <summary>A file for a new segment, ready or made now. Throws <see cref="StorageFullException"/>.</summary>
    public SpareFile Take(long fileBytes, bool isEssential)
    {
        if (fileBytes > options.SegmentBytes)
        {
            return Make(fileBytes);
        }

        lock (_gate)
        {
            int kept = isEssential && IsFull ? 0 : options.ReserveSegments;
            if (_spares.Count > kept)
            {
                SpareFile spare = _spares[^1];
                _spares.RemoveAt(_spares.Count - 1);
                return spare;
            }
        }

        _isWanted = true;
        try
        {
            return Make(options.SegmentBytes);
        }
        catch (StorageFullException)
        {
            Volatile.Write(ref _isFull, true);
            if (isEssential && TryTakeReserve() is { } spare)
            {
                return spare;
            }

            throw;
        }
    }

    /// <summary>Gives a spare file the header and the name of its segment. Each step is durable before the next, so
    /// that
    /// no crash leaves a segment with a foreign header.</summary>
    public void Publish(LogSegment segment)
    {
        if (segment.Spare is not { } spare)
        {
            return;
        }

        WriteHeader(spare.File, segment.BasePosition);
        files.Rename(spare.Path, PathOf(NameOf(segment.BasePosition)));
        files.SyncDirectory(directory);
        segment.File = spare.File;
        segment.Spare = null;
    }

    /// <summary>Opens the segments that are there, by base. A bad header is written anew when records of the place that
    /// the file's name says are in it; without any the file is set aside. One of a newer format is an error, for
    /// nothing may be written beside what cannot be read.</summary>
    public LoadedSegments LoadSegments()
    {
        var loaded = new LoadedSegments([], [], []);
        foreach (string name in files.List(directory, SegmentSuffix))
        {
            IFile file = files.Open(PathOf(name), FileOpening.ReadWrite);
            if (ReadBase(file, name) is { } basePosition)
            {
                loaded.Segments.Add(new LogSegment(basePosition, file.Length - FileHeader.Bytes) { File = file });
            }
            else if (HoldsRecords(file, name, out long named))
            {
                WriteHeader(file, named);
                loaded.Segments.Add(new LogSegment(named, file.Length - FileHeader.Bytes) { File = file });
                loaded.Repaired.Add(
                    new LogDamage(named, 0, name, "the header of the file was damaged, and was written anew"));
            }
            else
            {
                loaded.Quarantined.Add(
                    new QuarantinedSegment(name, named + Math.Max(0, file.Length - FileHeader.Bytes)));
                file.Dispose();
                files.Rename(PathOf(name), PathOf(name + DamagedSuffix));
            }
        }

        if (loaded.Quarantined.Count > 0)
        {
            files.SyncDirectory(directory);
        }

        return loaded;
    }

    /// <summary>Whether a segment whose header is bad has a good record: records say their positions, so that these
    /// can only be those of the segment that the name says.</summary>
    public static bool HoldsRecords(IFile file, string name, out long basePosition)
    {
        if (!TryParseName(name, out basePosition) || basePosition >= long.MaxValue / 2
            || file.Length <= FileHeader.Bytes)
        {
            return false;
        }

        var scanner = new SegmentScanner();
        scanner.Open(new LogSegment(basePosition, file.Length - FileHeader.Bytes) { File = file }, long.MaxValue);
        return scanner.FindNext(basePosition) >= 0;
    }

    /// <summary>Deletes the file of a segment.</summary>
    public void Drop(LogSegment segment)
    {
        segment.File!.Dispose();
        files.Delete(PathOf(NameOf(segment.BasePosition)));
    }

    /// <summary>Makes the bytes behind the end of a segment harmless, and its file full-sized again.</summary>
    public static void CutTail(LogSegment segment, bool isDirtyBehind, long fileBytes)
    {
        IFile file = segment.File!;
        if (isDirtyBehind)
        {
            file.SetLength(segment.OffsetOf(segment.End));
            file.Sync();
        }

        try
        {
            file.Preallocate(fileBytes);
        }
        catch (StorageFullException)
        {
            // The segment is smaller then; the log goes on in what there is, and finds the disk full in its turn.
        }

        segment.Capacity = file.Length - FileHeader.Bytes;
    }

    /// <summary>A write found no room. It is tried again: until it is taken the disk is full, however many spares there
    /// are.</summary>
    public void NoteFull() => Volatile.Write(ref _isWriteRefused, true);

    /// <summary>What waited is written.</summary>
    public void NoteWritten() => Volatile.Write(ref _isWriteRefused, false);

    /// <summary>Makes one spare if one is missing. False when there was nothing to do, or no room.</summary>
    public bool PrepareOne()
    {
        bool isNeeded;
        bool isReserve;
        lock (_gate)
        {
            isNeeded = _spares.Count <= options.ReserveSegments && !_isClosed;
            isReserve = _spares.Count < options.ReserveSegments;
        }

        return isNeeded && MakeSpare(options.ZeroFill && !isReserve);
    }

    /// <summary>Turns the files of dead segments into spares, or deletes them.</summary>
    public void Recycle(IReadOnlyList<LogSegment> segments)
    {
        var recycled = new List<SpareFile>();
        foreach (LogSegment segment in segments)
        {
            if (segment.File is not { } file)
            {
                continue;
            }

            string path = PathOf(NameOf(segment.BasePosition));
            if (file.Length == options.SegmentBytes && SpareCount + recycled.Count < SparesMax)
            {
                string sparePath = NextSparePath();
                files.Rename(path, sparePath);
                recycled.Add(new SpareFile(sparePath, file, options.SegmentBytes));
            }
            else
            {
                files.Delete(path);
                file.Dispose();
            }
        }

        // The old names must be gone for good before the files get new headers.
        files.SyncDirectory(directory);
        lock (_gate)
        {
            _spares.InsertRange(0, recycled);
            _isFull &= _spares.Count <= options.ReserveSegments;
        }
    }

    public void Dispose()
    {
        _isClosed = true;
        lock (_gate)
        {
            foreach (SpareFile spare in _spares)
            {
                spare.File.Dispose();
            }

            _spares.Clear();
        }
    }

    private int SparesMax => options.ReserveSegments + options.PoolSegmentsMax;

    private int SpareCount
    {
        get
        {
            lock (_gate)
            {
                return _spares.Count;
            }
        }
    }

    private static void WriteHeader(IFile file, long basePosition)
    {
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        FileHeader.Write(header, FileKind.Segment, basePosition);
        file.Write(0, header);
        file.Sync();
    }

    private long? ReadBase(IFile file, string name)
    {
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        int read = file.Read(0, header);
        string? problem = FileHeader.Check(header[..read], FileKind.Segment, PathOf(name), out long basePosition);
        return problem is null && NameOf(basePosition) == name ? basePosition : null;
    }

    private SpareFile? TryTakeReserve()
    {
        lock (_gate)
        {
            if (_spares.Count == 0)
            {
                return null;
            }

            SpareFile spare = _spares[^1];
            _spares.RemoveAt(_spares.Count - 1);
            return spare;
        }
    }

    private bool MakeSpare(bool zeroFill)
    {
        try
        {
            _isWanted = false;
            AddSpare(zeroFill ? FillWithZeros(Make(options.SegmentBytes)) : Make(options.SegmentBytes));
            return true;
        }
        catch (StorageFullException)
        {
            Volatile.Write(ref _isFull, true);
            return false;
        }
    }

    private void AddSpare(SpareFile spare)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                spare.File.Dispose();
                return;
            }

            _spares.Add(spare);
            _isFull &= _spares.Count <= options.ReserveSegments;
        }
    }

    private SpareFile Make(long bytes)
    {
        string path = NextSparePath();
        IFile file = files.Open(path, FileOpening.CreateNew);
        try
        {
            file.Preallocate(bytes);
            return new SpareFile(path, file, bytes);
        }
        catch (StorageException)
        {
            file.Dispose();
            files.Delete(path);
            throw;
        }
    }

    /// <summary>Overwriting written blocks syncs faster than writing allocated ones for the first time. Stops early
    /// when somebody waits for a file: allocated is good enough. A file that the disk does not fill goes
    /// again.</summary>
    private SpareFile FillWithZeros(SpareFile spare)
    {
        byte[] zeros = new byte[Math.Min(ZeroBytes, spare.Bytes)];
        try
        {
            for (long at = 0; at < spare.Bytes && !_isWanted && !_isClosed; at += zeros.Length)
            {
                spare.File.Write(at, zeros.AsSpan(0, (int)Math.Min(zeros.Length, spare.Bytes - at)));
                spare.File.Sync();
            }

            return spare;
        }
        catch (StorageException)
        {
            spare.File.Dispose();
            files.Delete(spare.Path);
            throw;
        }
    }

    private string NextSparePath() =>
        PathOf(Interlocked.Increment(ref _spareNumber).ToString("x8", CultureInfo.InvariantCulture) + SpareSuffix);

    private bool TryParseSpare(string name)
    {
        ReadOnlySpan<char> digits = name.AsSpan(0, name.Length - SpareSuffix.Length);
        if (!int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int number))
        {
            return false;
        }

        _spareNumber = Math.Max(_spareNumber, number);
        return true;
    }
}
