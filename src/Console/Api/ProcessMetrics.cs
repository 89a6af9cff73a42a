namespace Pillarbox.ConsoleApi;

/// <summary>The figures of the process itself, under the names that Prometheus' own clients use.</summary>
internal static class ProcessMetrics
{
    public static void Write(MetricsText text)
    {
        double cpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds;
        text.Single("process_cpu_seconds_total", "counter", "Processor time used.", cpuSeconds);
        text.Single("process_resident_memory_bytes", "gauge", "Memory in use.", Environment.WorkingSet);
        text.Single("dotnet_heap_bytes", "gauge", "Bytes on the managed heap.", GC.GetTotalMemory(false));
        double allocated = GC.GetTotalAllocatedBytes();
        text.Single("dotnet_allocated_bytes_total", "counter", "Bytes ever allocated on the managed heap.", allocated);
        text.Begin("dotnet_collections_total", "counter", "Garbage collections.");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            text.Sample(MetricsText.Label(("generation", $"{generation}")), GC.CollectionCount(generation));
        }

        double pauseSeconds = GC.GetTotalPauseDuration().TotalSeconds;
        text.Single("dotnet_pause_seconds_total", "counter", "Time spent in pauses of collections.", pauseSeconds);
    }
}
