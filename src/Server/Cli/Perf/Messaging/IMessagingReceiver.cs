namespace Pillarbox.Server.Cli.Perf.Messaging;

/// <summary>One connection of a measurement that receives.</summary>
internal interface IMessagingReceiver : IDisposable
{
    /// <summary>Messages of the measured phase.</summary>
    long Measured { get; }

    /// <summary>From sending to here, measured phase only.</summary>
    PerfHistogram Delivered { get; }

    /// <summary>Messages whose sequence number is below one seen before.</summary>
    long OutOfOrder { get; }

    /// <summary>Messages that another measurement left behind.</summary>
    long Foreign { get; }

    /// <summary>Runs until the measurement stops.</summary>
    void Run();
}
