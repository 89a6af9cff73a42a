using Pillarbox.Protocols.Amqp.Links;

namespace Pillarbox.Protocols.Amqp.Connections;

/// <summary>What the peer is to hear at the end of a pass: dispositions, credit, windows. Used by the connection's loop
/// alone.</summary>
internal sealed class OwedFrames
{
    private readonly List<Link> _flows = [];
    private readonly List<AmqpSession> _windows = [];
    private readonly List<AmqpSession> _dispositions = [];

    /// <summary>A link's credit.</summary>
    public void OweFlow(Link link)
    {
        if (!link.OwesFlow)
        {
            link.OwesFlow = true;
            _flows.Add(link);
        }
    }

    /// <summary>A session's window.</summary>
    public void OweWindow(AmqpSession session)
    {
        if (!session.OwesWindow)
        {
            session.OwesWindow = true;
            _windows.Add(session);
        }
    }

    /// <summary>Dispositions that wait in a session.</summary>
    public void OweDispositions(AmqpSession session)
    {
        if (!session.OwesDispositions)
        {
            session.OwesDispositions = true;
            _dispositions.Add(session);
        }
    }

    /// <summary>Writes all of it.</summary>
    public void Write()
    {
        foreach (AmqpSession session in _dispositions)
        {
            session.OwesDispositions = false;
            if (session.State == SessionState.Mapped)
            {
                session.FlushDispositions();
            }
        }

        _dispositions.Clear();
        foreach (Link link in _flows)
        {
            link.OwesFlow = false;
            if (link.State == LinkState.Attached && link.Session.State == SessionState.Mapped)
            {
                link.WriteFlow(echo: false);
            }
        }

        _flows.Clear();
        foreach (AmqpSession session in _windows)
        {
            session.OwesWindow = false;
            if (session.State == SessionState.Mapped && session.Window.IsUpdateDue)
            {
                session.WriteFlow(default);
            }
        }

        _windows.Clear();
    }
}
