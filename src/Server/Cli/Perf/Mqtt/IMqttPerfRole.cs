namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>One connection of a measurement, driven by a <see cref="MqttPerfWorker"/> on its thread.</summary>
internal interface IMqttPerfRole : IDisposable
{
    MqttLink Link { get; }

    /// <summary>Writes what can be written now; true: there is more, though no input comes.</summary>
    bool Work(long now);

    /// <summary>Input came: takes it.</summary>
    void Read(long now);
}
