using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>What the node begins: sessions (part 2 section 2.5.1) and links in them (2.6.3).</content>
internal sealed partial class AmqpSession
{
    /// <summary>Links that the node may have in a session that it began; what the peer begins there is answered on
    /// handles behind these.</summary>
    public const uint BegunLinksMax = 1024;

    private List<BegunLink>? _begun;
    private Stack<uint>? _freeHandles;
    private uint _begunHandles;
    private uint _peerHandleMax = BegunLinksMax - 1;

    /// <summary>Begins a session; links may be begun in it at once.</summary>
    public AmqpSession(ConnectionEndpoint connection, ushort channel)
    {
        Connection = connection;
        Channel = channel;
        IsBegunByNode = true;
        State = SessionState.BeginSent;
        Window = new SessionWindow(connection.Options, begin: null);
        Incoming = new DispositionBatch(this, Role.Receiver);
        Outgoing = new DispositionBatch(this, Role.Sender);
        connection.Frames.Write(channel, NewBegin(remoteChannel: null));
    }

    /// <summary>Whether the node began it.</summary>
    public bool IsBegunByNode { get; }

    /// <summary>Whether it has ended, or is to: no link can be begun in it.</summary>
    public bool IsEnding => State is SessionState.EndSent or SessionState.Ended;

    /// <summary>What is to be done when the session ends, behind its links.</summary>
    public Action? OnReleased { get; set; }

    /// <summary>Whether a link can be begun: there is a handle that the peer takes.</summary>
    public bool HasFreeHandle =>
        _freeHandles is { Count: > 0 } || _begunHandles <= Math.Min(_peerHandleMax, BegunLinksMax - 1);

    /// <summary>The peer has answered the node's begin on this channel of its own.</summary>
    public void OnBegun(ushort peerChannel, Begin begin)
    {
        PeerChannel = peerChannel;
        Window.OnBegin(begin);
        _peerHandleMax = begin.HandleMax;
        State = SessionState.Mapped;
        Connection.Turns.OnWindowOpened(this);
    }

    /// <summary>
    /// Begins a link; its handle is the node's choice. <paramref name="make"/> makes the link of the peer's answer.
    /// </summary>
    public void BeginLink(Attach attach, Func<Attach, Link> make)
    {
        uint handle = _freeHandles is not null && _freeHandles.TryPop(out uint free) ? free : _begunHandles++;
        Attach sent = attach with { Handle = handle };
        try
        {
            Connection.Frames.Write(Channel, sent);
        }
        catch
        {
            // It does not fit into the peer's frames: nothing was begun.
            FreeHandle(handle);
            throw;
        }

        (_begun ??= []).Add(new BegunLink(sent, make));
    }

    /// <summary>The node's handle for the link that an attach of the peer makes.</summary>
    public uint HandleFor(Attach attach)
    {
        if (!IsBegunByNode)
        {
            return attach.Handle;
        }

        return FindBegun(attach) is { } begun ? begun.Sent.Handle : attach.Handle + BegunLinksMax;
    }

    private void FreeHandle(uint handle)
    {
        if (IsBegunByNode && handle < _begunHandles)
        {
            (_freeHandles ??= []).Push(handle);
        }
    }

    private BegunLink? FindBegun(Attach attach)
    {
        foreach (BegunLink begun in _begun ?? [])
        {
            if (begun.Sent.Role != attach.Role && begun.Sent.Name == attach.Name)
            {
                return begun;
            }
        }

        return null;
    }

    // True: the attach answers one of the node.
    private bool TakesAnswer(Attach attach)
    {
        if (FindBegun(attach) is not { } begun)
        {
            return false;
        }

        Link link = begun.Make(attach);
        _begun!.Remove(begun);
        Put(link);
        return true;
    }

    private Begin NewBegin(ushort? remoteChannel) => new()
    {
        RemoteChannel = remoteChannel,
        NextOutgoingId = Window.NextOutgoingId,
        IncomingWindow = Window.IncomingWindow,
        OutgoingWindow = Window.OutgoingWindow,
        HandleMax = Connection.Options.HandleMax,
    };

    private sealed record BegunLink(Attach Sent, Func<Attach, Link> Make);
}
