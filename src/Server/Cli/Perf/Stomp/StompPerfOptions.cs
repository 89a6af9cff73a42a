using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.Stomp;

/// <summary>What one measurement of a STOMP server is to do. Immutable.</summary>
internal sealed record StompPerfOptions : MessagingPerfOptions
{
    /// <summary>The subscriptions' mode.</summary>
    public string Ack { get; init; } = "auto";
}
