using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>A read from disk for one link that is under way: either a message or a piece of a large body.</summary>
internal readonly struct LinkRead
{
    private readonly ValueTask<MessageLease> _message;
    private readonly ValueTask<int> _piece;
    private readonly bool _isPiece;

    public LinkRead(SendingLink link, ValueTask<MessageLease> message)
    {
        Link = link;
        _message = message;
    }

    public LinkRead(SendingLink link, ValueTask<int> piece)
    {
        Link = link;
        _piece = piece;
        _isPiece = true;
    }

    public SendingLink Link { get; }

    public bool IsCompleted => _isPiece ? _piece.IsCompleted : _message.IsCompleted;

    /// <summary>
    /// Calls back once when it is done: in the caller's context when that is kept, otherwise on any thread.
    /// </summary>
    public void OnCompleted(Action continuation, bool keepsContext)
    {
        if (_isPiece)
        {
            _piece.ConfigureAwait(keepsContext).GetAwaiter().UnsafeOnCompleted(continuation);
        }
        else
        {
            _message.ConfigureAwait(keepsContext).GetAwaiter().UnsafeOnCompleted(continuation);
        }
    }

    /// <summary>Hands the result to the link. To be called once, when completed.</summary>
    public void Finish()
    {
        if (_isPiece)
        {
            Link.OnPieceRead(_piece.Result);
        }
        else
        {
            Link.OnRead(_message.Result);
        }
    }
}
