namespace Pillarbox.Protocols.Kafka;

/// <summary>Bytes of the requests of one connection that wait for their answers: with more than that nothing more is
/// read. One loop takes, another gives back.</summary>
internal sealed class PipelineBudget(long most)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private long _bytes;

    /// <summary>A request has begun; completes when another one may.</summary>
    public Task TakeAsync(int bytes)
    {
        lock (_gate)
        {
            _bytes += bytes;
            if (_bytes <= most)
            {
                return Task.CompletedTask;
            }

            _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiting.Task;
        }
    }

    /// <summary>It is answered.</summary>
    public void Return(int bytes)
    {
        TaskCompletionSource? waiting = null;
        lock (_gate)
        {
            _bytes -= bytes;
            if (_bytes <= most)
            {
                (waiting, _waiting) = (_waiting, null);
            }
        }

        waiting?.SetResult();
    }
}
