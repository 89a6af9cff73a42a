namespace Pillarbox.Router.LinkState;

/// <summary>What the parts of the engine want sent and said, until it is drained.</summary>
internal sealed class ControlOutbox
{
    private readonly List<ControlSend> _sends = [];
    private readonly List<RouterEvent> _events = [];
    private int _eventsDropped;

    public void Send(int linkId, byte[] message) => _sends.Add(new ControlSend(linkId, message));

    public void Say(RouterEventKind kind, string router, string detail = "")
    {
        if (_events.Count < RouterLimits.EventsMax)
        {
            _events.Add(new RouterEvent(kind, router, detail));
        }
        else
        {
            _eventsDropped++;
        }
    }

    public void DrainTo(RouterOutput output)
    {
        output.Sends.AddRange(_sends);
        output.Events.AddRange(_events);
        output.EventsDropped = _eventsDropped;
        _sends.Clear();
        _events.Clear();
        _eventsDropped = 0;
    }
}
