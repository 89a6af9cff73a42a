namespace Pillarbox.Transport;

/// <summary>
/// Where a connection's loop rests when its input is over while something of it is not taken yet: a pipe that is
/// complete answers each read at once, and the loop would read for ever. One loop rests; any thread lets it go on.
/// </summary>
public sealed class LoopRest
{
    private TaskCompletionSource? _rest;

    /// <summary>Begins a rest, before the loop says that it waits: a wake from then on ends it.</summary>
    public Task Begin()
    {
        var rest = new TaskCompletionSource();
        Volatile.Write(ref _rest, rest);
        return rest.Task;
    }

    /// <summary>The loop goes on.</summary>
    public void End() => Volatile.Write(ref _rest, null);

    /// <summary>There is something to do: a loop that rests goes on in here. Any thread.</summary>
    public void Wake() => Volatile.Read(ref _rest)?.TrySetResult();
}
