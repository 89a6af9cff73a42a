using System.IO.Pipelines;
using Pillarbox.Model;

namespace Pillarbox.Simulation.Tests;

/// <summary>
/// All that a node wants to go on with, run one by one in an order that the seed chooses. One per start of a node: a
/// crash forgets what was due. On one thread; work that strays to another one is a finding.
/// </summary>
internal sealed class SimScheduler : PipeScheduler
{
    private readonly List<(Action<object?> Action, object? State)> _due = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public SimScheduler() => Context = new SimContext(this);

    /// <summary>Sends continuations of tasks the same way.</summary>
    public SynchronizationContext Context { get; }

    public int Count => _due.Count;

    public override void Schedule(Action<object?> action, object? state)
    {
        Violation.Unless(Environment.CurrentManagedThreadId == _thread, "work strayed to another thread");
        _due.Add((action, state));
    }

    /// <summary>Runs one of the things that are due; false when nothing is.</summary>
    public bool RunOne(IRandom random)
    {
        if (_due.Count == 0)
        {
            return false;
        }

        int at = random.Next(_due.Count);
        (Action<object?> action, object? state) = _due[at];
        _due.RemoveAt(at);
        action(state);
        return true;
    }

    private sealed class SimContext(SimScheduler owner) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => owner.Schedule(s => d(s), state);

        public override void Send(SendOrPostCallback d, object? state) => d(state);

        public override SynchronizationContext CreateCopy() => this;
    }
}
