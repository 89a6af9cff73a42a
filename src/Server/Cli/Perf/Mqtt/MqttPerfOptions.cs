namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>What one measurement of an MQTT server is to do. Immutable.</summary>
internal sealed record MqttPerfOptions
{
    /// <summary>A message bears a time, a sequence number and who sent it.</summary>
    public const int BodyBytesMin = PerfOptions.BodyBytesMin;

    public required PerfServer Server { get; init; }

    /// <summary>The topic; each publisher adds a level of its own, subscribers take all of them.</summary>
    public required string Topic { get; init; }

    public int BodyBytes { get; init; } = 100;

    public int Publishers { get; init; } = 1;

    public int Subscribers { get; init; } = 1;

    /// <summary>Of publishing and of the subscriptions.</summary>
    public int Qos { get; init; }

    /// <summary>Subscribers have sessions that outlive their connection: the server keeps messages on disk.</summary>
    public bool Persistent { get; init; }

    /// <summary>Messages of a publisher that are unanswered with QoS 1 and 2 (four times as many may not be received
    /// yet), or not received with QoS 0.</summary>
    public int InFlight { get; init; } = 100;

    /// <summary>Further connections that do nothing.</summary>
    public int Idle { get; init; }

    /// <summary>Subscriptions of each of them, which match nothing that is sent.</summary>
    public int IdleSubscriptions { get; init; } = 1;

    public double WarmUpSeconds { get; init; } = 3;

    public double DurationSeconds { get; init; } = 20;

    public int? ServerPid { get; init; }

    public bool Json { get; init; }
}
