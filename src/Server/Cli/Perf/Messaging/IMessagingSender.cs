namespace Pillarbox.Server.Cli.Perf.Messaging;

/// <summary>One connection of a measurement that sends.</summary>
internal interface IMessagingSender : IDisposable
{
    /// <summary>From sending to the answer, measured phase only.</summary>
    PerfHistogram Acknowledged { get; }

    /// <summary>Messages sent in the measured phase.</summary>
    long Measured { get; }

    /// <summary>Runs until the measured phase is over and every answer is there.</summary>
    void Run();
}
