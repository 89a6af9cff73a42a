using System.Buffers;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Amqp.Routed.Drawing;

/// <summary>
/// The rest of a message of the broker that is too long for memory, on its way into the network in pieces: the next one
/// is read when the slowest of its receivers has taken enough of those before. Owned by the port's loop.
/// </summary>
internal sealed class BrokerDownload(BrokerPort port, LargeBody body, long offset)
{
    /// <summary>Bytes of a piece.</summary>
    public const int PieceBytes = 64 << 10;

    /// <summary>Pieces that a receiver has not taken yet; no more are read meanwhile.</summary>
    public const int PiecesAheadMax = 8;

    private readonly List<DrawnDelivery> _copies = [];
    private byte[] _piece = [];
    private Task<int>? _read;
    private long _at = offset;

    /// <summary>Whether all of it is handed on, or nobody takes it any more.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Whether its bytes could not be read.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>A delivery whose beginning is handed on.</summary>
    public void Add(DrawnDelivery copy)
    {
        copy.Download = this;
        _copies.Add(copy);
    }

    /// <summary>A receiver has taken pieces.</summary>
    public static void OnConsumed(RoutedDelivery copy, int pieces) => copy.HeldFrames -= pieces;

    /// <summary>A receiver has come to its end with it.</summary>
    public void Remove(DrawnDelivery copy)
    {
        _copies.Remove(copy);
        if (_copies.Count == 0)
        {
            End();
        }
    }

    /// <summary>Hands on what may be handed on.</summary>
    public void Pump()
    {
        while (!IsOver)
        {
            if (_read is null)
            {
                if (_copies.Exists(copy => copy.HeldFrames >= PiecesAheadMax))
                {
                    return;
                }

                _piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
                int bytes = (int)Math.Min(PieceBytes, body.Length - _at);
                _read = body.ReadAsync(_at, _piece.AsMemory(0, bytes), CancellationToken.None).AsTask();
                if (!_read.IsCompleted)
                {
                    _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(port.Wake);
                }
            }

            if (!_read.IsCompleted)
            {
                return;
            }

            Task<int> read = _read;
            _read = null;
            if (read.IsCompletedSuccessfully && read.Result > 0)
            {
                HandOn(read.Result);
            }
            else
            {
                IsBroken = true;
                Abort();
            }
        }
    }

    /// <summary>The broker takes it back: so do its receivers lose it.</summary>
    public void Abort()
    {
        foreach (DrawnDelivery copy in _copies)
        {
            port.Traffic.Post(copy.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Abort, copy)
            {
                Generation = copy.Generation,
            });
        }

        End();
    }

    private void HandOn(int bytes)
    {
        _at += bytes;
        bool isLast = _at == body.Length;
        foreach (DrawnDelivery copy in _copies)
        {
            byte[] own = ArrayPool<byte>.Shared.Rent(bytes);
            _piece.AsSpan(0, bytes).CopyTo(own);
            copy.HeldFrames++;
            port.Traffic.Post(copy.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Part, copy)
            {
                Generation = copy.Generation,
                Bytes = own,
                Count = bytes,
                Flag = isLast,
            });
        }

        ArrayPool<byte>.Shared.Return(_piece);
        if (isLast)
        {
            End();
        }
    }

    private void End()
    {
        if (IsOver)
        {
            return;
        }

        IsOver = true;
        if (_read is { } read)
        {
            _read = null;
            _ = CloseBehindAsync(read);
        }
        else
        {
            body.Dispose();
        }
    }

    // The file is closed when nothing reads it; what was read for nobody is not looked at.
    private async Task CloseBehindAsync(Task read)
    {
        await read.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        body.Dispose();
    }
}
