using System.Buffers;
using System.Buffers.Text;

namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>What there is of a frame.</summary>
internal enum FrameState
{
    /// <summary>Not enough.</summary>
    NeedMore,

    /// <summary>All of it.</summary>
    Whole,

    /// <summary>Its head; the body is large, and comes in pieces.</summary>
    Large,
}

/// <summary>
/// Cuts the bytes of a connection into frames (1.2, "STOMP Frames"): ends of line between frames are skipped (they are
/// heart-beats), a head ends with an empty line, a body with a NUL, which <c>content-length</c> lets it hold. Bytes
/// stay in the input until they are taken. Remembers where it has looked, so bytes that come one by one are looked at
/// once.
/// Errors: <see cref="StompException"/>; nothing can be read afterwards.
/// </summary>
internal sealed class FrameReader(FrameLimits limits)
{
    private int _headBytes;
    private long? _contentLength;
    private long _scanned;
    private long _taken;
    private long _pieceBytesLeft;
    private bool _piecesEndAtNul;

    /// <summary>The limits from now on.</summary>
    public FrameLimits Limits { get; set; } = limits;

    /// <summary>
    /// Looks at the next frame. When it is whole or large, <paramref name="head"/> is command and headers, and
    /// <see cref="Take"/> is to be called.
    /// </summary>
    public FrameState Peek(
        ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> head, out ReadOnlySequence<byte> body)
    {
        head = body = default;
        if (_headBytes == 0 && !FindHead(ref input))
        {
            return FrameState.NeedMore;
        }

        head = input.Slice(0, _headBytes);
        long bodyAt = _headBytes + BlankLineBytes(input);
        ReadOnlySequence<byte> rest = input.Slice(bodyAt);
        return _contentLength is { } length
            ? PeekCounted(rest, bodyAt, length, out body)
            : PeekTerminated(rest, bodyAt, out body);
    }

    /// <summary>Takes what was looked at: the frame, or the head of a large one.</summary>
    public void Take(ref ReadOnlySequence<byte> input)
    {
        input = input.Slice(_taken);
        _headBytes = 0;
        _scanned = 0;
        _contentLength = null;
    }

    /// <summary>
    /// Takes a piece of a large body, as much as there is; true: that was the last one, and the frame is over.
    /// </summary>
    public bool TakePiece(ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> piece)
    {
        if (!_piecesEndAtNul)
        {
            long count = Math.Min(_pieceBytesLeft, input.Length);
            piece = input.Slice(0, count);
            input = input.Slice(count);
            _pieceBytesLeft -= count;
            if (_pieceBytesLeft > 0 || input.IsEmpty)
            {
                return false;
            }

            CheckNul(input.FirstSpan[0]);
            input = input.Slice(1);
            return true;
        }

        SequencePosition? nul = input.PositionOf((byte)0);
        piece = nul is null ? input : input.Slice(0, nul.Value);
        _pieceBytesLeft -= piece.Length;
        if (_pieceBytesLeft < 0)
        {
            throw TooLarge();
        }

        input = nul is null ? input.Slice(input.End) : input.Slice(input.GetPosition(1, nul.Value));
        return nul is not null;
    }

    private bool FindHead(ref ReadOnlySequence<byte> input)
    {
        if (_scanned == 0)
        {
            SkipBlank(ref input);
        }

        long look = Math.Min(input.Length, Limits.HeadBytesMax + 2L);
        long end = FindBlankLine(input.Slice(0, look), Math.Max(0, _scanned - 2));
        RefuseNul(input, _scanned, Math.Min(end < 0 ? look : end, Limits.HeadBytesMax));
        if (end < 0)
        {
            _scanned = look;
            return input.Length > Limits.HeadBytesMax
                ? throw new StompException($"the headers are longer than {Limits.HeadBytesMax} bytes")
                : false;
        }

        _headBytes = (int)end;
        _scanned = 0;
        ReadHead(input.Slice(0, end));
        return true;
    }

    // The grammar of 1.1 and 1.2 would take one in a header. Clients that look for the next NUL take it for the end of
    // the frame, and what follows for a frame of the node; and mostly it is the end of one without its empty line.
    private static void RefuseNul(in ReadOnlySequence<byte> input, long from, long end)
    {
        if (from < end && input.Slice(from, end - from).PositionOf((byte)0) is not null)
        {
            throw new StompException("a NUL comes before the empty line that ends the headers");
        }
    }

    private static void SkipBlank(ref ReadOnlySequence<byte> input)
    {
        var reader = new SequenceReader<byte>(input);
        reader.AdvancePastAny((byte)'\n', (byte)'\r');
        input = reader.UnreadSequence;
    }

    // Where the head ends: behind the end of line that an empty line follows; -1: not yet.
    private static long FindBlankLine(in ReadOnlySequence<byte> input, long from)
    {
        if (input.IsSingleSegment)
        {
            return FindBlankLine(input.FirstSpan, (int)from);
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent((int)input.Length);
        try
        {
            input.CopyTo(copy);
            return FindBlankLine(copy.AsSpan(0, (int)input.Length), (int)from);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private static int FindBlankLine(ReadOnlySpan<byte> input, int from)
    {
        int bare = input[from..].IndexOf("\n\n"u8);
        int search = bare < 0 ? input.Length : Math.Min(input.Length, from + bare + 1);
        int crlf = input[from..search].IndexOf("\n\r\n"u8);
        int found = crlf >= 0 ? crlf : bare;
        return found < 0 ? -1 : from + found + 1;
    }

    private int BlankLineBytes(in ReadOnlySequence<byte> input) =>
        input.Slice(_headBytes).FirstSpan[0] == (byte)'\r' ? 2 : 1;

    private void ReadHead(in ReadOnlySequence<byte> head)
    {
        if (head.IsSingleSegment)
        {
            ReadHead(head.FirstSpan);
            return;
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent((int)head.Length);
        head.CopyTo(copy);
        try
        {
            ReadHead(copy.AsSpan(0, (int)head.Length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private void ReadHead(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> name = "\ncontent-length:"u8;
        if (head.Count((byte)'\n') > Limits.HeadersMax + 1)
        {
            throw new StompException($"there are more than {Limits.HeadersMax} headers");
        }

        int at = head.IndexOf(name);
        if (at < 0)
        {
            _contentLength = null;
            return;
        }

        ReadOnlySpan<byte> value = head[(at + name.Length)..];
        value = value[..value.IndexOf((byte)'\n')].Trim(" \r"u8);
        bool good = Utf8Parser.TryParse(value, out long length, out int used) && used == value.Length && length >= 0;
        if (!good)
        {
            throw new StompException("content-length is no number of bytes");
        }

        _contentLength = length <= Limits.BodyBytesMax ? length : throw TooLarge();
    }

    private FrameState PeekCounted(
        in ReadOnlySequence<byte> rest, long bodyAt, long length, out ReadOnlySequence<byte> body)
    {
        body = default;
        if (length > Limits.WholeBodyBytesMax)
        {
            return BeginPieces(bodyAt, length, endAtNul: false);
        }

        if (rest.Length <= length)
        {
            return FrameState.NeedMore;
        }

        body = rest.Slice(0, length);
        CheckNul(rest.Slice(length).FirstSpan[0]);
        _taken = bodyAt + length + 1;
        return FrameState.Whole;
    }

    private FrameState PeekTerminated(
        in ReadOnlySequence<byte> rest, long bodyAt, out ReadOnlySequence<byte> body)
    {
        body = default;
        SequencePosition? nul = rest.Slice(_scanned).PositionOf((byte)0);
        if (nul is null)
        {
            _scanned = rest.Length;
            return rest.Length > Limits.WholeBodyBytesMax
                ? BeginPieces(bodyAt, Limits.BodyBytesMax, endAtNul: true)
                : FrameState.NeedMore;
        }

        body = rest.Slice(0, nul.Value);
        if (body.Length > Limits.BodyBytesMax)
        {
            throw TooLarge();
        }

        _taken = bodyAt + body.Length + 1;
        return FrameState.Whole;
    }

    private FrameState BeginPieces(long bodyAt, long bytes, bool endAtNul)
    {
        if (bytes == 0)
        {
            throw TooLarge();
        }

        _taken = bodyAt;
        _pieceBytesLeft = bytes;
        _piecesEndAtNul = endAtNul;
        return FrameState.Large;
    }

    private StompException TooLarge() => new($"the body is larger than {Limits.BodyBytesMax} bytes");

    private static void CheckNul(byte last)
    {
        if (last != 0)
        {
            throw new StompException("the body does not end where content-length says");
        }
    }
}
