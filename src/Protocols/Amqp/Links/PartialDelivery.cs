using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>
/// A delivery that goes out in several frames or with a rewritten start: <c>prefix</c> (sections the node makes), then
/// the payload from <c>skip</c> on. A large body is held a piece at a time; where it comes from (<c>origin</c>) goes
/// into the prefix when its first piece is there, which has the annotations that those of the origin join.
/// </summary>
internal sealed class PartialDelivery : IDisposable
{
    /// <summary>How much of a large body is read at once.</summary>
    public const int PieceBytes = 64 << 10;

    private byte[] _prefix;
    private long _skip;
    private MessageLease _lease;
    private Origin? _origin;
    private byte[]? _piece;
    private long _pieceStart;
    private int _pieceLength;

    public PartialDelivery(in Delivery delivery, in MessageLease lease, byte[] prefix, long skip)
    {
        Delivery = delivery;
        _lease = lease;
        _prefix = prefix;
        _skip = skip;
        _origin = lease.Large is null ? null : lease.Origin;
        Invariant.That(skip >= 0 && skip <= PayloadBytes);
    }

    public Delivery Delivery { get; }

    /// <summary>The delivery-id once the first frame is out.</summary>
    public uint? DeliveryId { get; set; }

    /// <summary>Bytes of the message.</summary>
    public long Total => _prefix.Length + PayloadBytes - _skip;

    /// <summary>Bytes that are out.</summary>
    public long Position { get; private set; }

    /// <summary>Whether a read of the large body is under way; nothing may be disposed until it is done.</summary>
    public bool IsReading { get; private set; }

    public bool IsComplete => Position == Total;

    /// <summary>Whether the next bytes of the body must be read first.</summary>
    public bool NeedsPiece
    {
        get
        {
            long at = BodyPosition;
            return _lease.Large is { } large && at < large.Length
                && (at < _pieceStart || at >= _pieceStart + _pieceLength);
        }
    }

    private long PayloadBytes => _lease.Large?.Length ?? _lease.Payload.Length;

    private long BodyPosition => Math.Max(0, Position - _prefix.Length) + _skip;

    /// <summary>What of the prefix is not out yet, at most <paramref name="max"/> bytes.</summary>
    public ReadOnlySpan<byte> NextPrefix(int max) =>
        Position < _prefix.Length ? Cut(_prefix.AsSpan((int)Position), max) : default;

    /// <summary>The next bytes of the body that are in memory, at most <paramref name="max"/>.</summary>
    public ReadOnlySpan<byte> NextBody(int max)
    {
        long at = BodyPosition;
        if (_lease.Large is null)
        {
            return Cut(_lease.Payload.Span[(int)at..], max);
        }

        return NeedsPiece || _pieceLength == 0
            ? default
            : Cut(_piece.AsSpan((int)(at - _pieceStart), (int)(_pieceStart + _pieceLength - at)), max);
    }

    public void Advance(int bytes) => Position += bytes;

    /// <summary>Starts to read the piece that <see cref="NextBody"/> misses.</summary>
    public ValueTask<int> ReadPiece(CancellationToken cancellation)
    {
        Invariant.That(_lease.Large is not null && !IsReading);
        IsReading = true;
        _piece ??= ArrayPool<byte>.Shared.Rent(PieceBytes);
        _pieceStart = BodyPosition;
        _pieceLength = 0;
        return _lease.Large.ReadAsync(_pieceStart, _piece.AsMemory(0, PieceBytes), cancellation);
    }

    /// <summary>The read is done (with a fault: 0).</summary>
    public void OnPieceRead(int bytes)
    {
        IsReading = false;
        _pieceLength = bytes;
        if (_origin is { } origin && bytes > 0)
        {
            _origin = null;
            byte[] annotations = AmqpMessageMap.WriteAnnotations(_piece.AsSpan(0, bytes), origin, out int replaced);
            _prefix = [.. _prefix, .. annotations];
            _skip = replaced;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Invariant.That(!IsReading);
        _lease.Large?.Dispose();
        _lease.Dispose();
        _lease = default;
        if (_piece is not null)
        {
            ArrayPool<byte>.Shared.Return(_piece);
            _piece = null;
        }
    }

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> bytes, int max) =>
        bytes.Length > max ? bytes[..max] : bytes;
}
