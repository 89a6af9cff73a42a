using System.Buffers;

namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>
/// One TCP connection of a service: what its socket brings goes out as a message without an end in sight, what such a
/// message brings goes into the socket. Each direction ends for itself; a direction that breaks ends both. Octets that
/// the other side has not taken are bounded: then the socket is not read. Owned by its loop.
/// </summary>
internal sealed partial class TcpStream : IRoutedSource
{
    // Pieces in a row before other connections have their turn.
    private const int PiecesPerTurn = 8;

    private readonly TcpLoop _loop;
    private readonly Queue<Outgoing> _toSocket = [];
    private readonly Action _ready;
    private readonly TcpTally _tally;
    private IServiceSocket? _socket;
    private RoutedDelivery? _out;
    private RoutedDelivery? _in;
    private ValueTask<int> _receive;
    private ValueTask<int> _send;
    private byte[]? _buffer;
    private bool _isReceiving;
    private bool _isProbing;
    private bool _isSending;
    private bool _isBusy;
    private bool _isOutEnded;
    private bool _isOutConcluded;
    private bool _isInConcluded;
    private bool _isOver;
    private int _queued;

    private TcpStream(TcpLoop loop, IServiceSocket? socket, TcpTally tally)
    {
        _loop = loop;
        _socket = socket;
        _tally = tally;
        _tally.OnOpened();
        _ready = () => _loop.Completed(this);
    }

    /// <inheritdoc/>
    public RoutedInbox Inbox => _loop.Traffic.Inbox;

    /// <summary>Whether it is to be put into the loop's queue now. Any thread.</summary>
    public bool TryQueue() => Interlocked.Exchange(ref _queued, 1) == 0;

    /// <summary>Does what can be done now.</summary>
    public void Run()
    {
        Volatile.Write(ref _queued, 0);
        if (_isOver)
        {
            FreeReceived();
            return;
        }

        try
        {
            Begin();
            EndReceive();
            EndSend();
            Receive();
            Send();
        }
        catch (IOException e)
        {
            Fail(e.Message);
        }
    }

    /// <summary>The other direction's message has begun.</summary>
    public void OnIncoming(RoutedDelivery delivery, ReadOnlySpan<byte> octets)
    {
        _in = delivery;
        if (!octets.IsEmpty || delivery.IsWhole)
        {
            byte[] kept = ArrayPool<byte>.Shared.Rent(Math.Max(1, octets.Length));
            octets.CopyTo(kept);
            _toSocket.Enqueue(new Outgoing(kept, octets.Length, delivery.IsWhole, IsPiece: false));
        }

        delivery.FreeRented();
        _loop.Ready(this);
    }

    /// <summary>More of it.</summary>
    public void OnIncomingPart(in RoutedPart part)
    {
        if (_isOver)
        {
            ArrayPool<byte>.Shared.Return(part.Bytes);
            return;
        }

        _toSocket.Enqueue(new Outgoing(part.Bytes, part.Length, part.IsLast, IsPiece: true));
        _loop.Ready(this);
    }

    /// <inheritdoc/>
    public void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (!settled || delivery != _out || _isOver)
        {
            return;
        }

        _isOutConcluded = true;
        if (!ReferenceEquals(state, RoutedState.Accepted) && RoutedState.Rank(state) != AcceptedRank && _in is null)
        {
            Fail("nobody answers");
            return;
        }

        // Who takes no more may still have something to say.
        _isOutEnded = true;
        FinishIfDone();
    }

    /// <inheritdoc/>
    public void OnConsumed(RoutedDelivery delivery, int frames)
    {
        delivery.HeldFrames -= frames;
        _loop.Ready(this);
    }

    /// <summary>Breaks off in both directions.</summary>
    public void Fail(string reason)
    {
        if (_isOver)
        {
            return;
        }

        Log.TcpEnded(_loop.Logger, Name, reason);
        if (_out is not null && !_isOutConcluded && !_isOutEnded)
        {
            _loop.Traffic.Post(
                _out.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Abort, _out) { Generation = _out.Generation });
        }

        ConcludeIncoming(RoutedState.Failed);
        Close(isOrderly: false);
    }

    private static readonly int AcceptedRank = RoutedState.Rank(RoutedState.Accepted);

    private bool CanReceive => _socket is not null && _out is not null && !_isReceiving && !_isOutEnded
        && _out.HeldFrames < TcpServices.PiecesMax;

    private void Receive()
    {
        for (int piece = 0; CanReceive; piece++)
        {
            if (piece == PiecesPerTurn)
            {
                _loop.Ready(this);
                return;
            }

            // A connection that is silent holds no buffer; one that is busy is not asked first.
            _isProbing = !_isBusy && _buffer is null;
            Memory<byte> into = _isProbing ? default : _buffer ??= ArrayPool<byte>.Shared.Rent(TcpServices.PieceBytes);
            // Kept until it is done, then consumed once, by EndReceive.
#pragma warning disable CA2012 // see above
            _receive = _socket!.ReceiveAsync(into);
#pragma warning restore CA2012
            _isReceiving = true;
            if (!_receive.IsCompleted)
            {
                _receive.GetAwaiter().UnsafeOnCompleted(_ready);
                return;
            }

            EndReceive();
        }
    }

    private void EndReceive()
    {
        if (!_isReceiving || !_receive.IsCompleted)
        {
            return;
        }

        _isReceiving = false;
        int bytes = _receive.GetAwaiter().GetResult();
        if (_isProbing)
        {
            _isBusy = true;
            return;
        }

        byte[] piece = _buffer!;
        _buffer = null;
        _isBusy = bytes == piece.Length;
        _isOutEnded = bytes == 0;
        _tally.OnReceived(bytes);
        if (_isOutConcluded)
        {
            ArrayPool<byte>.Shared.Return(piece);
            return;
        }

        _out!.HeldFrames++;
        _loop.Traffic.Post(_out.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Part, _out)
        {
            Generation = _out.Generation,
            Bytes = piece,
            Count = bytes,
            Flag = bytes == 0,
        });
    }

    private void Send()
    {
        while (_socket is not null && !_isSending && _toSocket.TryPeek(out Outgoing? next))
        {
            if (next.Sent == next.Length)
            {
                OnSent(_toSocket.Dequeue());
                continue;
            }

            // The same, by EndSend.
#pragma warning disable CA2012 // see above
            _send = _socket.SendAsync(next.Bytes.AsMemory(next.Sent, next.Length - next.Sent));
#pragma warning restore CA2012
            _isSending = true;
            if (!_send.IsCompleted)
            {
                _send.GetAwaiter().UnsafeOnCompleted(_ready);
                return;
            }

            EndSend();
        }
    }

    private void EndSend()
    {
        if (!_isSending || !_send.IsCompleted)
        {
            return;
        }

        _isSending = false;
        int bytes = _send.GetAwaiter().GetResult();
        _toSocket.Peek().Sent += bytes;
        _tally.OnSent(bytes);
    }

    private void OnSent(Outgoing sent)
    {
        ArrayPool<byte>.Shared.Return(sent.Bytes);
        if (sent.IsPiece)
        {
            _loop.Traffic.Post(_in!.Source.Inbox, new RoutedEvent(RoutedEventKind.Consumed, _in)
            {
                Generation = _in.Generation,
                Count = 1,
            });
        }

        if (sent.IsLast)
        {
            _socket!.EndOutput();
            ConcludeIncoming(RoutedState.Accepted);
            FinishIfDone();
        }
    }

    private void FinishIfDone()
    {
        if (_isOutConcluded && _isInConcluded)
        {
            Close(isOrderly: true);
        }
    }

    private void ConcludeIncoming(byte[] state)
    {
        if (_in is not null && !_isInConcluded)
        {
            _isInConcluded = true;
            _loop.Traffic.Touch(_in.Conclude(state));
        }
    }

    private void Close(bool isOrderly)
    {
        _isOver = true;
        _tally.OnClosed();
        _socket?.Abort(isOrderly);
        CloseReply();
        _loop.Remove(this);
        FreeReceived();
        // What is being sent is still read from its array.
        while (_toSocket.Count > (_isSending ? 1 : 0))
        {
            Outgoing rest = _toSocket.Dequeue();
            if (!_isSending)
            {
                ArrayPool<byte>.Shared.Return(rest.Bytes);
            }
        }
    }

    // A receive that is under way still writes into its array.
    private void FreeReceived()
    {
        if (_buffer is { } buffer && (!_isReceiving || _receive.IsCompleted))
        {
            _buffer = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed record Outgoing(byte[] Bytes, int Length, bool IsLast, bool IsPiece)
    {
        public int Sent { get; set; }
    }
}
