using Pillarbox.Load.Peers;

namespace Pillarbox.Load;

/// <summary>
/// Reads a node's <c>/metrics</c> once a second: no pause of the garbage collector was longer than the most that its
/// pauses took together in one such second.
/// </summary>
internal sealed class PauseProbe : IAsyncDisposable
{
    private const string Metric = "dotnet_pause_seconds_total";
    private readonly NodeMetrics _metrics;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private double _mostMs;
    private double _totalMs;

    public PauseProbe(PillarboxPeer peer)
    {
        _metrics = new NodeMetrics(peer);
        _run = RunAsync();
    }

    /// <summary>Ends the probe and adds its figures.</summary>
    public async Task StopAsync(Dictionary<string, double> figures)
    {
        await _stop.CancelAsync();
        await _run;
        figures[Figure.PauseMostMs] = _mostMs;
        figures[Figure.PauseTotalMs] = _totalMs;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
        _metrics.Dispose();
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
        double first = await ReadMsAsync();
        double last = first;
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                double now = await ReadMsAsync();
                _mostMs = Math.Max(_mostMs, now - last);
                _totalMs = now - first;
                last = now;
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task<double> ReadMsAsync() => await _metrics.ReadAsync(Metric) * 1000;
}
