namespace Pillarbox.ConsoleApi;

/// <summary>The figures of the process itself, under the names that Prometheus' own clients use.</summary>
internal static class ProcessMetrics
{
    private static readonly string[] Parts = ["0", "1", "2", "large", "pinned"];

    public static void Write(MetricsText text)
    {
        double cpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds;
        text.Single("process_cpu_seconds_total", "counter", "Processor time used.", cpuSeconds);
        text.Single("process_resident_memory_bytes", "gauge", "Memory in use.", Environment.WorkingSet);
        text.Single("dotnet_heap_bytes", "gauge", "Bytes on the managed heap.", GC.GetTotalMemory(false));
        double allocated = GC.GetTotalAllocatedBytes();
        text.Single("dotnet_allocated_bytes_total", "counter", "Bytes ever allocated on the managed heap.", allocated);
        GCMemoryInfo heap = GC.GetGCMemoryInfo();
        text.Single("dotnet_committed_bytes", "gauge", "Memory of the managed heap, used or not.",
            heap.TotalCommittedBytes);
        text.Begin("dotnet_generation_bytes", "gauge", "Bytes of each part of the heap after its last collection.");
        for (int part = 0; part < heap.GenerationInfo.Length && part < Parts.Length; part++)
        {
            text.Sample(MetricsText.Label(("generation", Parts[part])), heap.GenerationInfo[part].SizeAfterBytes);
        }

        text.Begin("dotnet_collections_total", "counter", "Garbage collections.");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            text.Sample(MetricsText.Label(("generation", $"{generation}")), GC.CollectionCount(generation));
        }

        double pauseSeconds = GC.GetTotalPauseDuration().TotalSeconds;
        text.Single("dotnet_pause_seconds_total", "counter", "Time spent in pauses of collections.", pauseSeconds);
    }
}
