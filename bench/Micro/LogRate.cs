using System.Diagnostics;
using Pillarbox.Storage;

namespace Pillarbox.Micro;

/// <summary>
/// The log on a real disk with its own thread: records a second that become durable, processor time per record, and how
/// long one batch alone waits, beside what the disk's own sync takes.
/// </summary>
internal static class LogRate
{
    private const int Size = 100;
    private const long PendingBytesMax = 8 << 20;

    public static void Run(string directory, double seconds)
    {
        Console.WriteLine($"directory {directory}, {Size} B records, {seconds} s each");
        Directory.CreateDirectory(directory);
        Probe(directory, seconds);
        foreach (int batch in (int[])[1, 32, 256])
        {
            Measure(directory, batch, seconds);
        }

        Latency(directory, seconds);
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>What write and sync of 4 KiB into a file full of zeros take, without any log.</summary>
    private static void Probe(string directory, double seconds)
    {
        using IFile file = DiskFileSystem.Instance.Open(directory + "/probe", FileOpening.OpenOrCreate);
        file.Write(0, new byte[16 << 20]);
        file.Sync();
        byte[] bytes = new byte[4096];
        var times = new List<double>();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; i++)
        {
            long before = Stopwatch.GetTimestamp();
            file.Write(i % 4096 * 4096L, bytes);
            file.Sync();
            times.Add(Stopwatch.GetElapsedTime(before).TotalMicroseconds);
        }

        Print("disk: write 4 KiB + fdatasync", times);
    }

    private static void Measure(string directory, int batchCount, double seconds)
    {
        using SegmentedLog log = SegmentedLog.Open(
            DiskFileSystem.Instance, $"{directory}/rate{batchCount}", new LogOptions());
        log.Replay(0, new Nothing());
        var batch = new LogBatch(64 << 10);
        byte[] payload = new byte[Size];
        using Process process = Process.GetCurrentProcess();
        TimeSpan cpu = process.TotalProcessorTime;
        long start = Stopwatch.GetTimestamp();
        long first = log.TailPosition;
        long records = 0;
        var last = new Signal();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            batch.Clear();
            for (int i = 0; i < batchCount; i++)
            {
                batch.Add(1, payload);
            }

            long end = log.Append(batch) + batch.Bytes;
            records += batchCount;
            if (end - log.DurablePosition > PendingBytesMax)
            {
                last.Wait(log, end - (PendingBytesMax / 2));
            }
        }

        last.Wait(log, log.TailPosition);
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        double micros = (process.TotalProcessorTime - cpu).TotalMicroseconds / records;
        double megabytes = (log.DurablePosition - first) / elapsed / 1e6;
        Console.WriteLine(
            $"batches of {batchCount,3}: {records / elapsed,12:N0} records/s, {megabytes,6:F1} MB/s, "
            + $"{micros:F3} us CPU a record");
    }

    private static void Latency(string directory, double seconds)
    {
        using SegmentedLog log = SegmentedLog.Open(DiskFileSystem.Instance, directory + "/latency", new LogOptions());
        log.Replay(0, new Nothing());
        Thread.Sleep(500);
        var batch = new LogBatch();
        var signal = new Signal();
        var times = new List<double>();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            batch.Clear();
            batch.Add(1, new byte[Size]);
            long before = Stopwatch.GetTimestamp();
            signal.Wait(log, log.Append(batch) + batch.Bytes);
            times.Add(Stopwatch.GetElapsedTime(before).TotalMicroseconds);
        }

        Print("one batch of 1 in flight, append to durable", times);
    }

    private static void Print(string what, List<double> times)
    {
        times.Sort();
        Console.WriteLine(
            $"{what}: p50 {times[times.Count / 2]:F0} us, p99 {times[times.Count * 99 / 100]:F0} us, "
            + $"{times.Count} times");
    }

    private sealed class Nothing : IRecordVisitor
    {
        public void Visit(in LogRecord record)
        {
        }
    }

    private sealed class Signal : IDurableWaiter
    {
        private readonly SemaphoreSlim _done = new(0);

        public void OnDurable(long durablePosition) => _done.Release();

        public void OnFailed(StorageFailedException failure) => _done.Release();

        public void Wait(SegmentedLog log, long position)
        {
            log.WhenDurable(position, this);
            _done.Wait();
        }
    }
}
