#pragma warning disable RS0030 // this is the seam that makes threads
namespace Pillarbox.Storage;

/// <summary>A thread that calls a step again and again and sleeps in between, as long as the step says or until woken.
/// </summary>
internal sealed class LogThread : IDisposable
{
    /// <summary>What a step returns to sleep until woken.</summary>
    public static readonly TimeSpan UntilWoken = Timeout.InfiniteTimeSpan;

    private readonly object _gate = new();
    private readonly Func<bool, TimeSpan> _step;
    private readonly Thread _thread;
    private bool _isWoken;
    private volatile bool _isStopping;

    /// <summary>Starts the thread. The step is told whether it was woken (or called again at once), or slept its time.
    /// </summary>
    public LogThread(string name, Func<bool, TimeSpan> step)
    {
        _step = step;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Ends the present sleep, or the next one before it begins. Any thread.</summary>
    public void Wake()
    {
        if (Volatile.Read(ref _isWoken))
        {
            return;
        }

        lock (_gate)
        {
            _isWoken = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends the thread after its present step.</summary>
    public void Dispose()
    {
        _isStopping = true;
        Wake();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        bool isWoken = true;
        while (!_isStopping)
        {
            TimeSpan sleep = _step(isWoken);
            isWoken = sleep == TimeSpan.Zero || Sleep(sleep);
        }
    }

    private bool Sleep(TimeSpan time)
    {
        lock (_gate)
        {
            if (!_isWoken)
            {
                Monitor.Wait(_gate, time);
            }

            bool isWoken = _isWoken;
            Volatile.Write(ref _isWoken, false);
            return isWoken;
        }
    }
}
