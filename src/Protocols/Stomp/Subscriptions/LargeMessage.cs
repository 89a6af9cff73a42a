using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>
/// A MESSAGE whose body is in a file: read and written a piece at a time. While it is under way no other frame can be
/// written. Owned by its session.
/// </summary>
internal sealed class LargeMessage(StompSubscription subscription, in Delivery delivery, in MessageLease lease)
    : IDisposable
{
    /// <summary>How much of the file is read at once: at least the longest header block.</summary>
    public const int PieceBytes = 128 << 10;

    private readonly byte[] _piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
    private readonly MessageLease _lease = lease;
    private readonly Delivery _delivery = delivery;
    private long _read;

    /// <summary>Whose it is.</summary>
    public StompSubscription Subscription { get; } = subscription;

    /// <summary>Which it is.</summary>
    public ref readonly Delivery Delivery => ref _delivery;

    /// <summary>The message.</summary>
    public ref readonly MessageLease Lease => ref _lease;

    /// <summary>Whether its head is out.</summary>
    public bool IsBegun { get; set; }

    /// <summary>Whether a read of the file is under way.</summary>
    public bool IsReading { get; private set; }

    /// <summary>What was read last, and is to be written.</summary>
    public ReadOnlyMemory<byte> Piece { get; private set; }

    /// <summary>Whether the whole file was read.</summary>
    public bool IsRead => _read == _lease.Large!.Length;

    /// <summary>Starts to read the next piece.</summary>
    public ValueTask<int> ReadPiece(CancellationToken cancellation)
    {
        Invariant.That(!IsReading);
        IsReading = true;
        return _lease.Large!.ReadAsync(_read, _piece.AsMemory(0, PieceBytes), cancellation);
    }

    /// <summary>The read is done; 0: the file is damaged.</summary>
    public void OnPieceRead(int bytes)
    {
        IsReading = false;
        _read += bytes;
        Piece = _piece.AsMemory(0, bytes);
    }

    /// <summary>The piece is written, or so much of it.</summary>
    public void Written(int bytes) => Piece = Piece[bytes..];

    /// <inheritdoc/>
    public void Dispose()
    {
        Invariant.That(!IsReading);
        _lease.Large?.Dispose();
        _lease.Dispose();
        ArrayPool<byte>.Shared.Return(_piece);
    }
}
