namespace Pillarbox.Server.Cli.Perf;

/// <summary>
/// A sender's word that it sends no more. What it has sent is counted burst by burst, so that before its word more may
/// come than anybody has counted. One thread at a time.
/// </summary>
internal sealed class SendingPhase(PerfSchedule schedule)
{
    private bool _isOver;

    /// <summary>Whether the time for sending is over. Asked between bursts: the first yes is the sender's
    /// word.</summary>
    public bool IsOver(long now)
    {
        if (!_isOver && now >= schedule.MeasureTo)
        {
            _isOver = true;
            schedule.EndSending();
        }

        return _isOver;
    }
}
