using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// Takes frames (int32 size, then that many bytes) out of a connection's input, one at a time, into one buffer. The
/// size is checked against the limit of the API that the frame names, and the buffer grows only with the bytes that
/// came. It takes all that is there: a peer that stops inside a frame costs its bytes, not a block of the transport.
/// </summary>
internal sealed class FrameReader : IDisposable
{
    private const int PrefixBytes = sizeof(int);
    private const int StartBytes = PrefixBytes + sizeof(short);
    private const int FirstBytes = 4 << 10;

    // The size and the API key are looked at together; every frame has both.
    private readonly byte[] _start = new byte[StartBytes];
    private byte[] _buffer = [];
    private int _startFilled;
    private int _size = -1;
    private int _filled;

    /// <summary>
    /// Moves bytes from the input. True: a frame is whole; it is valid until the next call. False: the input is used
    /// up. Throws <see cref="KafkaException"/> for a size beyond what <paramref name="limitOf"/> allows for the frame's
    /// API key.
    /// </summary>
    public bool TryRead(ref ReadOnlySequence<byte> input, Func<ApiKey, int> limitOf, out ReadOnlyMemory<byte> frame)
    {
        frame = default;
        if (_size < 0 && !TryBegin(ref input, limitOf))
        {
            return false;
        }

        int wanted = (int)Math.Min(_size - _filled, input.Length);
        Grow(_filled + wanted);
        input.Slice(0, wanted).CopyTo(_buffer.AsSpan(_filled));
        input = input.Slice(wanted);
        _filled += wanted;
        if (_filled < _size)
        {
            return false;
        }

        frame = _buffer.AsMemory(0, _size);
        _size = -1;
        return true;
    }

    /// <summary>The last frame has been dealt with: an idle connection holds no buffer.</summary>
    public void Release()
    {
        if (_size < 0)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private bool TryBegin(ref ReadOnlySequence<byte> input, Func<ApiKey, int> limitOf)
    {
        int taken = (int)Math.Min(StartBytes - _startFilled, input.Length);
        input.Slice(0, taken).CopyTo(_start.AsSpan(_startFilled));
        input = input.Slice(taken);
        _startFilled += taken;
        if (_startFilled < StartBytes)
        {
            return false;
        }

        int size = BinaryPrimitives.ReadInt32BigEndian(_start);
        int limit = limitOf((ApiKey)BinaryPrimitives.ReadInt16BigEndian(_start.AsSpan(PrefixBytes)));
        if (size < sizeof(short) || size > limit)
        {
            KafkaException.Throw($"a request of {size} bytes; at most {limit} are taken");
        }

        (_startFilled, _size, _filled) = (0, size, sizeof(short));
        Grow((int)Math.Min(size, _filled + input.Length));
        _start.AsSpan(PrefixBytes).CopyTo(_buffer);
        return true;
    }

    private void Grow(int needed)
    {
        if (needed <= _buffer.Length)
        {
            return;
        }

        int larger = Math.Min(_size, Math.Max(Math.Max(needed, FirstBytes), _buffer.Length * 2));
        byte[] next = ArrayPool<byte>.Shared.Rent(Math.Max(larger, needed));
        _buffer.AsSpan(0, Math.Min(_filled, _buffer.Length)).CopyTo(next);
        Dispose();
        _buffer = next;
    }
}
