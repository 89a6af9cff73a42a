namespace Pillarbox.Protocols.OpenWire;

/// <summary>
/// What further input of a connection waits for: the disk, or another connection that gives up the client's id. The
/// loop awaits it. Used by the loop alone.
/// </summary>
internal sealed class InputHold
{
    private Action? _after;

    /// <summary>Ends when input may go on; null: nothing is waited for.</summary>
    public Task? Gate { get; private set; }

    /// <summary>No further commands are read until the task is done; then the rest is done first.</summary>
    public void Until(Task done, Action after)
    {
        Gate = done;
        _after = after;
    }

    /// <summary>What was waited for has come.</summary>
    public void Resume()
    {
        Gate = null;
        Action? after = _after;
        _after = null;
        after?.Invoke();
    }
}
