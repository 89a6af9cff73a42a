using System.IO.Pipelines;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>Runs what pipes schedule when it is told to, on the caller's thread: connections without threads.</summary>
internal sealed class HandScheduler : PipeScheduler
{
    private readonly Queue<(Action<object?> Action, object? State)> _work = new();

    public override void Schedule(Action<object?> action, object? state) => _work.Enqueue((action, state));

    /// <summary>Runs everything that waits, and what that brings; false when there was nothing.</summary>
    public bool RunAll()
    {
        bool any = false;
        while (_work.TryDequeue(out (Action<object?> Action, object? State) work))
        {
            any = true;
            work.Action(work.State);
        }
        return any;
    }
}
