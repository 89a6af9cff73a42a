namespace Pillarbox.Server.Cli.Perf;

/// <summary>What one measurement is to do. Immutable.</summary>
internal sealed record PerfOptions
{
    /// <summary>A message bears a time, a sequence number and who sent it.</summary>
    public const int BodyBytesMin = 24;

    public required AmqpTarget Target { get; init; }

    /// <summary>Where receivers connect.</summary>
    public required AmqpTarget ReceiveTarget { get; init; }

    /// <summary>With several queues, the first part of their addresses: "-1", "-2"… are appended.</summary>
    public required string Address { get; init; }

    /// <summary>Where receivers attach when that is another name than the senders'.</summary>
    public required string ReceiveAddress { get; init; }

    public int BodyBytes { get; init; } = 100;

    public int Senders { get; init; } = 1;

    public int Receivers { get; init; } = 1;

    public int Queues { get; init; } = 1;

    public double WarmUpSeconds { get; init; } = 3;

    public double DurationSeconds { get; init; } = 20;

    public bool Durable { get; init; }

    /// <summary>Senders and receivers without acknowledgements.</summary>
    public bool PreSettled { get; init; }

    /// <summary>All receivers get every message: attached as subscribers of a topic.</summary>
    public bool FanOut { get; init; }

    /// <summary>Messages a second of all senders together, at even intervals; zero means as fast as it goes.</summary>
    public double Rate { get; init; }

    /// <summary>Unacknowledged messages a sender may have.</summary>
    public int InFlight { get; init; } = 1000;

    /// <summary>Messages a receiver grants.</summary>
    public uint Credit { get; init; } = 1000;

    /// <summary>Further connections that do nothing.</summary>
    public int IdleConnections { get; init; }

    /// <summary>Queues that are made before, and stay empty.</summary>
    public int IdleQueues { get; init; }

    /// <summary>Only receive so many messages that are queued already; zero means measure sending as well.</summary>
    public long DrainMessages { get; init; }

    public int? ServerPid { get; init; }

    public bool Json { get; init; }

    public string SendAddressOf(int index) => Queues > 1 ? $"{Address}-{(index % Queues) + 1}" : Address;

    public string ReceiveAddressOf(int index) =>
        Queues > 1 ? $"{ReceiveAddress}-{(index % Queues) + 1}" : ReceiveAddress;
}
