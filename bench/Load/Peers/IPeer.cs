namespace Pillarbox.Load.Peers;

/// <summary>A server that is measured: an own process on free loopback ports, with its data in a temporary
/// folder.</summary>
internal interface IPeer : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Name and version, for the report.</summary>
    string Version { get; }

    /// <summary>The process whose processor time and memory count.</summary>
    int Pid { get; }

    /// <summary>Where its AMQP 1.0 listener is, with a login if it wants one; null when it has none.</summary>
    string? AmqpUrl { get; }

    /// <summary>Where its listener of another protocol is, "host:port"; null when it has none.</summary>
    string? AddressOf(string protocol) => null;

    /// <summary>What the server printed so far.</summary>
    IReadOnlyList<string> Lines { get; }

    /// <summary>How this server calls a queue.</summary>
    string QueueAddress(string queue);
}
