namespace Pillarbox.Server.Cli.Perf;

/// <summary>One connection of a measurement, driven by a <see cref="PerfWorker"/> on its thread.</summary>
internal interface IPerfRole
{
    NetworkClient Client { get; }

    /// <summary>
    /// Does what can be done now; returns when there is more to do though no input comes (nanoseconds).
    /// </summary>
    long Work(long now);

    /// <summary>Input came: takes it.</summary>
    void Read(long now);
}
