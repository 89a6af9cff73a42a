using System.Buffers.Binary;

namespace Pillarbox.Storage;

/// <summary>
/// Reads the records of one segment file through a window of memory, forwards, or again from an earlier place. Looks no
/// further than its limit: where the next segment begins, or the file ends. One owner.
/// </summary>
internal sealed class SegmentScanner
{
    private const int WindowBytesMin = 1 << 20;
    private const int TypeOffset = 8;
    private byte[] _window = [];
    private LogSegment? _segment;
    private long _windowStart;
    private int _windowLength;
    private long _limit;

    /// <summary>The record that <see cref="TryRead"/> found.</summary>
    public RecordHeader Header { get; private set; }

    /// <summary>Why <see cref="TryRead"/> found none.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Position behind the last byte that may belong to the segment.</summary>
    public long Limit => _limit;

    /// <summary>Its payload, until the next call.</summary>
    public ReadOnlySpan<byte> Payload => _window.AsSpan(_payloadAt, Header.Length);

    private int _payloadAt;

    /// <summary>Goes to a segment. Records end at or before <paramref name="limit"/>.</summary>
    public void Open(LogSegment segment, long limit)
    {
        _segment = segment;
        _limit = Math.Min(limit, segment.BasePosition + segment.File!.Length - segment.FileOffset);
        _windowStart = 0;
        _windowLength = 0;
    }

    /// <summary>Reads and verifies the record at a position.</summary>
    public bool TryRead(long position)
    {
        ReadOnlySpan<byte> bytes = Window(position, RecordFormat.HeaderBytes);
        if (bytes.Length < RecordFormat.HeaderBytes)
        {
            Reason = "the segment ends in the middle of it";
            return false;
        }

        if (!RecordFormat.TryReadHeader(bytes, position, out RecordHeader header))
        {
            Reason = "its header is not what was written";
            return false;
        }

        bytes = Window(position, header.RecordBytes);
        if (bytes.Length < header.RecordBytes)
        {
            Reason = "the segment ends in the middle of it";
            return false;
        }

        if (!RecordFormat.Verify(header, bytes[RecordFormat.HeaderBytes..header.RecordBytes], position))
        {
            Reason = "its checksum is wrong";
            return false;
        }

        Header = header;
        _payloadAt = (int)(position - _windowStart) + RecordFormat.HeaderBytes;
        return true;
    }

    /// <summary>The position up to which a marker says that the log was durable.</summary>
    public long ReadMarker() =>
        Header.Length == RecordFormat.MarkerPayloadBytes ? BinaryPrimitives.ReadInt64LittleEndian(Payload) : 0;

    /// <summary>Finds the first valid record at or above a position, byte by byte; -1 if there is none below the limit.
    /// The position in the checksum makes false hits impossible.</summary>
    public long FindNext(long position)
    {
        while (position + RecordFormat.HeaderBytes <= _limit)
        {
            ReadOnlySpan<byte> bytes = Window(position, RecordFormat.HeaderBytes);
            int headers = bytes.Length - RecordFormat.HeaderBytes + 1;
            if (headers <= 0)
            {
                return -1;
            }

            int hit = FindHeader(bytes, headers, position);
            if (hit < 0)
            {
                position += headers;
                continue;
            }

            position += hit;
            if (TryRead(position))
            {
                return position;
            }

            position++;
        }

        return -1;
    }

    private static int FindHeader(ReadOnlySpan<byte> bytes, int headers, long position)
    {
        for (int i = 0; i < headers; i++)
        {
            // Most of what is not a record is zeros: go to the next byte that can be a type.
            int zeros = bytes[(i + TypeOffset)..].IndexOfAnyExcept((byte)0);
            if (zeros < 0)
            {
                return -1;
            }

            if (zeros > 0)
            {
                i += zeros - 1;
                continue;
            }

            if (RecordFormat.TryReadHeader(bytes[i..], position + i, out _))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The bytes at a position, at least so many unless the limit is nearer.</summary>
    private ReadOnlySpan<byte> Window(long position, int bytes)
    {
        bytes = (int)Math.Clamp(_limit - position, 0, bytes);
        if (position < _windowStart || position + bytes > _windowStart + _windowLength)
        {
            Fill(position, bytes);
        }

        int at = (int)(position - _windowStart);
        return _window.AsSpan(at, Math.Max(0, _windowLength - at));
    }

    private void Fill(long position, int bytes)
    {
        int size = (int)Math.Clamp(_limit - position, bytes, Math.Max(WindowBytesMin, bytes));
        if (_window.Length < size)
        {
            _window = GC.AllocateUninitializedArray<byte>(size);
        }

        _windowStart = position;
        _windowLength = _segment!.File!.Read(_segment.OffsetOf(position), _window.AsSpan(0, size));
    }
}
