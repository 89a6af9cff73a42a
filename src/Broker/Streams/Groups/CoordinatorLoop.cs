using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>
/// The one owner of a coordinator's state: work is done one item after the other by whoever posts while nobody else
/// does. On one thread everything runs inline, which is how tests and simulations use it. Any thread may post.
/// </summary>
public sealed partial class CoordinatorLoop(ILogger logger)
{
    private readonly ConcurrentQueue<Action> _work = new();
    private int _pending;

    /// <summary>Does the work now, or leaves it to the thread that is in here already. Work must not wait for
    /// anything.</summary>
    public void Post(Action work)
    {
        _work.Enqueue(work);
        if (Interlocked.Increment(ref _pending) != 1)
        {
            return;
        }

        do
        {
            _work.TryDequeue(out Action? next);
            Run(next!);
        }
        while (Interlocked.Decrement(ref _pending) > 0);
    }

    // One request's fault must not leave the others without an owner.
    private void Run(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e)
        {
            LogFailed(logger, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request to a coordinator failed inside.")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
