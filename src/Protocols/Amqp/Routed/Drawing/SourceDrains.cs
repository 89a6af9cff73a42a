namespace Pillarbox.Protocols.Amqp.Routed.Drawing;

/// <summary>
/// Who wants to hear when all that the broker could give has been handed on. One question goes to the broker at a time;
/// who comes meanwhile waits for the next. Owned by the port's loop.
/// </summary>
internal sealed class SourceDrains
{
    private readonly List<Action> _new = [];
    private readonly List<Action> _asked = [];
    private readonly Queue<(long Upto, Action Done)> _drained = new();

    /// <summary>Whether the broker is to be asked.</summary>
    public bool IsDue => _new.Count > 0 && _asked.Count == 0;

    /// <summary>Somebody wants to hear; it is called once, on the port's loop.</summary>
    public void Add(Action done) => _new.Add(done);

    /// <summary>The broker is asked.</summary>
    public void OnAsked()
    {
        _asked.AddRange(_new);
        _new.Clear();
    }

    /// <summary>The broker has given what it could.</summary>
    /// <param name="drawn">Messages that it has given in all.</param>
    public void OnDrained(long drawn)
    {
        _asked.ForEach(done => _drained.Enqueue((drawn, done)));
        _asked.Clear();
    }

    /// <summary>Tells those for whom enough was handed on.</summary>
    /// <param name="handedOn">Messages that were handed on, or given back, in all.</param>
    public void Tell(long handedOn)
    {
        while (_drained.TryPeek(out (long Upto, Action Done) first) && first.Upto <= handedOn)
        {
            _drained.Dequeue();
            first.Done();
        }
    }
}
