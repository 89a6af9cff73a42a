using Pillarbox.Server.Cli.Perf.Messaging;
using WireDestination = Pillarbox.Protocols.OpenWire.Wire.Destination;

namespace Pillarbox.Server.Cli.Perf.OpenWire;

/// <summary>What one measurement of an OpenWire server is to do. Immutable.</summary>
internal sealed record OpenWirePerfOptions : MessagingPerfOptions
{
    /// <summary>Messages of a local transaction; 0: none.</summary>
    public int Transaction { get; init; }

    /// <summary>Messages that the server sends a receiver ahead.</summary>
    public int Prefetch { get; init; } = 1000;

    /// <summary>Whether each message is acknowledged by itself.</summary>
    public bool AcknowledgesEach { get; init; }

    public bool IsTight { get; init; } = true;

    /// <summary>Whether messages themselves are answered.</summary>
    public bool IsAnswered => Durable && Transaction == 0;

    /// <summary>The destination as commands name it.</summary>
    public WireDestination ToDestination() =>
        FanOut ? WireDestination.Topic(Destination) : WireDestination.Queue(Destination);
}
