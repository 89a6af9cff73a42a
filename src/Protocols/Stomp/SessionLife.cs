using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>Where a connection is in its life.</summary>
internal enum SessionState : byte
{
    /// <summary>Nothing but CONNECT or STOMP is taken.</summary>
    Start,

    /// <summary>The login is being checked.</summary>
    LoggingIn,

    /// <summary>All frames of clients are taken.</summary>
    Connected,

    /// <summary>A DISCONNECT waits for what came before it to be done.</summary>
    Disconnecting,

    /// <summary>Over: what is written goes out, then the connection closes.</summary>
    Ended,
}

/// <summary>Where a connection is, which version is spoken, and its last word. Used by the connection's loop alone.
/// </summary>
internal sealed class SessionLife(FrameWriter frames)
{
    public SessionState State { get; set; }

    /// <summary>The version that was agreed.</summary>
    public StompVersion Version { get; private set; } = StompVersion.V12;

    /// <summary>A version is agreed.</summary>
    public void Agree(StompVersion version) => frames.Version = Version = version;

    /// <summary>A RECEIPT frame: what asked for it is done; the id in canonical form.</summary>
    public void Confirm(ReadOnlySpan<byte> receipt)
    {
        if (State != SessionState.Ended)
        {
            frames.WriteReceipt(receipt);
        }
    }

    /// <summary>An ERROR frame, and the end (1.2, "ERROR"). <paramref name="receipt"/>: of the frame that is to blame,
    /// if it asked for one.</summary>
    public void Fail(string message, ReadOnlySpan<byte> receipt = default)
    {
        if (State == SessionState.Ended)
        {
            return;
        }

        // In the middle of a large message there is no room for another frame: it is cut off with the connection.
        if (!frames.IsHeld)
        {
            frames.WriteError(message, receipt);
        }

        State = SessionState.Ended;
    }
}
