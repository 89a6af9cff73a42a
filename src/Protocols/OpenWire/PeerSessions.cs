using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>The connection of a client and its sessions, by which it names what it makes. Used by the connection's loop
/// alone.</summary>
internal sealed class PeerSessions(string connection, OpenWireOptions options)
{
    // Every connection has a session -1 for its own consumers.
    private const long NodeSession = -1;

    private readonly HashSet<long> _sessions = [NodeSession];

    /// <summary>Those that are there.</summary>
    public IReadOnlyCollection<long> All => _sessions;

    /// <summary>A session begins.</summary>
    /// <exception cref="OpenWireException">It is another connection's, or one too many; the command alone fails.
    /// </exception>
    public void Add(SessionInfo info)
    {
        CheckConnection(info.SessionId?.Connection);
        if (_sessions.Count > options.SessionsMax)
        {
            throw OpenWireException.TooMany("sessions", options.SessionsMax);
        }

        _sessions.Add(info.SessionId!.Value);
    }

    /// <summary>A session ends.</summary>
    public void Remove(long session) => _sessions.Remove(session);

    /// <summary>All have ended; the connection is as new.</summary>
    public void Clear()
    {
        _sessions.Clear();
        _sessions.Add(NodeSession);
    }

    /// <summary>What a command is about must be this connection's.</summary>
    /// <exception cref="OpenWireException">It is not; the command alone fails.</exception>
    public void CheckConnection(string? named)
    {
        if (named is null || named != connection)
        {
            throw NotHere($"the connection '{named}' is not registered here");
        }
    }

    /// <summary>The same of one of its sessions.</summary>
    /// <exception cref="OpenWireException">It is not; the command alone fails.</exception>
    public void CheckSession(string? named, long session)
    {
        CheckConnection(named);
        if (!_sessions.Contains(session))
        {
            throw NotHere($"there is no session {session}");
        }
    }

    private static OpenWireException NotHere(string message) =>
        new(ThrowableNames.IllegalState, message) { IsCommandOnly = true };
}
