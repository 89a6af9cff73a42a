namespace Pillarbox.Server.Cli.Perf.Messaging;

/// <summary>What one measurement of a server of queues and topics is to do, whatever it speaks. Immutable.</summary>
internal abstract record MessagingPerfOptions
{
    /// <summary>A message bears a time, a sequence number and who sent it.</summary>
    public const int BodyBytesMin = PerfOptions.BodyBytesMin;

    public required PerfServer Server { get; init; }

    public required string Destination { get; init; }

    public int BodyBytes { get; init; } = 100;

    public int Senders { get; init; } = 1;

    public int Receivers { get; init; } = 1;

    /// <summary>Whether each receiver gets every message, for the destination is a topic.</summary>
    public bool FanOut { get; init; }

    /// <summary>Messages survive the server's end, and each is answered.</summary>
    public bool Durable { get; init; }

    /// <summary>Messages without an answer yet that a durable sender may have.</summary>
    public int InFlight { get; init; } = 1000;

    public double WarmUpSeconds { get; init; } = 3;

    public double DurationSeconds { get; init; } = 20;

    public int? ServerPid { get; init; }

    public bool Json { get; init; }
}
