namespace Pillarbox.Model.Records;

/// <summary>
/// Reads the records of a batch one by one. A record: length varint, attributes i8, timestamp delta varlong, offset
/// delta varint, key length varint (-1 = none) and key, value length varint (-1 = none) and value, header count varint
/// and headers. Pure; no length is believed before the bytes are there.
/// </summary>
public ref struct RecordReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _count;
    private int _at;
    private int _read;

    /// <summary>Reads <paramref name="count"/> records out of uncompressed bytes.</summary>
    public RecordReader(ReadOnlySpan<byte> records, int count)
    {
        _bytes = records;
        _count = count;
    }

    /// <summary>True when the bytes are not what the format says: the rest cannot be read.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Bytes that were read so far: the last record ends here.</summary>
    public readonly int Position => _at;

    /// <summary>Whether all records were read, and nothing is behind them.</summary>
    public readonly bool IsComplete => !IsBroken && _read == _count && _at == _bytes.Length;

    /// <summary>The next record; false at the end, or when broken.</summary>
    public bool TryRead(out StreamRecord record)
    {
        record = default;
        if (IsBroken || _read == _count)
        {
            return false;
        }

        if (!Varint.TryReadInt(_bytes, ref _at, out int length) || (uint)length > (uint)(_bytes.Length - _at)
            || !StreamRecord.TryParse(_bytes.Slice(_at, length), out record))
        {
            IsBroken = true;
            return false;
        }

        _at += length;
        _read++;
        return true;
    }
}

/// <summary>A record, as slices of its batch.</summary>
public readonly ref struct StreamRecord
{
    /// <summary>Its timestamp, relative to the batch's base timestamp, in milliseconds.</summary>
    public long TimestampDelta { get; private init; }

    /// <summary>Its offset, relative to the batch's base offset.</summary>
    public int OffsetDelta { get; private init; }

    /// <summary>Whether it has a key (an empty one is one).</summary>
    public bool HasKey { get; private init; }

    /// <summary>The key.</summary>
    public ReadOnlySpan<byte> Key { get; private init; }

    /// <summary>Whether it has a value; a record with a key and no value is a tombstone.</summary>
    public bool HasValue { get; private init; }

    /// <summary>The value.</summary>
    public ReadOnlySpan<byte> Value { get; private init; }

    /// <summary>How many headers it has.</summary>
    public int HeaderCount { get; private init; }

    /// <summary>The headers as they are encoded.</summary>
    public ReadOnlySpan<byte> Headers { get; private init; }

    /// <summary>The record without its length, as it is encoded.</summary>
    public ReadOnlySpan<byte> Bytes { get; private init; }

    /// <summary>The headers one by one.</summary>
    public RecordHeaderReader ReadHeaders() => new(Headers, HeaderCount);

    /// <summary>Reads one record, without its length in front; false when the bytes are none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out StreamRecord record)
    {
        record = default;
        int at = 1;
        if (bytes.IsEmpty
            || !Varint.TryReadLong(bytes, ref at, out long timestampDelta)
            || !Varint.TryReadInt(bytes, ref at, out int offsetDelta)
            || !TryReadBytes(bytes, ref at, out ReadOnlySpan<byte> key, out bool hasKey)
            || !TryReadBytes(bytes, ref at, out ReadOnlySpan<byte> value, out bool hasValue)
            || !Varint.TryReadInt(bytes, ref at, out int headerCount) || headerCount < 0)
        {
            return false;
        }

        record = new StreamRecord
        {
            TimestampDelta = timestampDelta,
            OffsetDelta = offsetDelta,
            HasKey = hasKey,
            Key = key,
            HasValue = hasValue,
            Value = value,
            HeaderCount = headerCount,
            Headers = bytes[at..],
            Bytes = bytes,
        };
        return headerCount == 0 ? at == bytes.Length : record.ReadHeaders().SkipAll();
    }

    internal static bool TryReadBytes(
        ReadOnlySpan<byte> bytes, scoped ref int at, out ReadOnlySpan<byte> value, out bool has)
    {
        value = default;
        has = false;
        if (!Varint.TryReadInt(bytes, ref at, out int length) || length < -1 || length > bytes.Length - at)
        {
            return false;
        }

        if (length >= 0)
        {
            has = true;
            value = bytes.Slice(at, length);
            at += length;
        }

        return true;
    }
}

/// <summary>Reads the headers of a record: key length varint and key, value length varint (-1 = none) and value.
/// </summary>
public ref struct RecordHeaderReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _count;
    private int _at;
    private int _read;

    internal RecordHeaderReader(ReadOnlySpan<byte> bytes, int count)
    {
        _bytes = bytes;
        _count = count;
    }

    /// <summary>The next header; false at the end, or when broken.</summary>
    public bool TryRead(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out bool hasValue)
    {
        key = default;
        value = default;
        hasValue = false;
        if (_read == _count || !StreamRecord.TryReadBytes(_bytes, ref _at, out key, out bool hasKey) || !hasKey
            || !StreamRecord.TryReadBytes(_bytes, ref _at, out value, out hasValue))
        {
            return false;
        }

        _read++;
        return true;
    }

    /// <summary>Whether the headers are as the format says, to the last byte.</summary>
    internal bool SkipAll()
    {
        while (TryRead(out _, out _, out _))
        {
        }

        return _read == _count && _at == _bytes.Length;
    }
}
