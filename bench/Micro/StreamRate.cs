using System.Diagnostics;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Micro;

/// <summary>
/// Streams in this process on a real disk: appends that become durable, reads from memory and from files, beside a raw
/// relay
/// that writes the same bytes under the same rule. And what many partitions cost.
/// </summary>
internal static class StreamRate
{
    private const int RecordBytes = 100;
    private const int BatchRecords = 150;
    private const int CopyBytes = 1 << 20;

    public static void Run(string directory, double seconds)
    {
        Directory.CreateDirectory(directory);
        byte[] batch = MakeBatch(BatchRecords, RecordBytes);
        Console.WriteLine($"directory {directory}, batches of {BatchRecords} x {RecordBytes} B = {batch.Length} B");
        Relay(directory, seconds, isSynced: true);
        Relay(directory, seconds, isSynced: false);
        using (MessageBroker broker = Open(directory))
        {
            foreach (string mode in (string[])["group", "os"])
            {
                foreach (int partitions in (int[])[1, 16, 200])
                {
                    Append(broker, $"{mode}-{partitions}", partitions, batch, seconds);
                }
            }

            Read(broker.Streams.Find("os-1")!.Partitions[0], seconds);
            Latency(broker, seconds);
        }

        Directory.Delete(directory, recursive: true);
    }

    /// <summary>So many partitions with a batch each: time to make, to write, to stop and to start; memory and idle
    /// processor time.</summary>
    public static void Many(string directory, int count)
    {
        byte[] batch = MakeBatch(10, RecordBytes);
        using (MessageBroker broker = Open(directory))
        {
            long begin = Stopwatch.GetTimestamp();
            RecordStream stream = Create(broker, "many", count, "group");
            Console.WriteLine($"make {count}: {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms");
            begin = Stopwatch.GetTimestamp();
            foreach (Partition partition in stream.Partitions)
            {
                partition.Append(batch, new AppendOptions());
            }

            Wait(stream.Partitions);
            Console.WriteLine(
                $"first batch to each, durable: {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms");
            begin = Stopwatch.GetTimestamp();
            foreach (Partition partition in stream.Partitions)
            {
                partition.Append(batch, new AppendOptions());
            }

            Wait(stream.Partitions);
            Console.WriteLine(
                $"second batch to each, durable: {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms");
            Idle("with all partitions");
            begin = Stopwatch.GetTimestamp();
            broker.Dispose();
            Console.WriteLine($"stop: {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms");
        }

        long start = Stopwatch.GetTimestamp();
        using (MessageBroker broker = Open(directory))
        {
            Console.WriteLine($"start: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
            Idle("after the start");
        }

        foreach (string checkpoint in Directory.GetFiles(directory + "/streams/checkpoints"))
        {
            File.Delete(checkpoint);
        }

        start = Stopwatch.GetTimestamp();
        Open(directory).Dispose();
        Console.WriteLine($"start without a checkpoint, and stop: "
            + $"{Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        Directory.Delete(directory, recursive: true);
    }

    private static MessageBroker Open(string directory) => MessageBroker.Open(new BrokerOptions
    {
        FileSystem = DiskFileSystem.Instance,
        DataDirectory = directory,
    });

    private static RecordStream Create(MessageBroker broker, string name, int partitions, string mode)
    {
        Grant grant = broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName(name, null));
        var config = new Dictionary<string, string> { ["flush.mode"] = mode };
        var spec = new StreamSpec { Name = name, Partitions = partitions, Config = config };
        return broker.Streams.Create(grant, spec).Stream!;
    }

    private static byte[] MakeBatch(int records, int bytes)
    {
        var builder = new RecordBatchBuilder();
        byte[] value = new byte[bytes];
        SystemRandom.Instance.Fill(value);
        for (int i = 0; i < records; i++)
        {
            builder.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), default, value);
        }

        return builder.Finish().ToArray();
    }

    private static void Relay(string directory, double seconds, bool isSynced)
    {
        using IFile file = DiskFileSystem.Instance.Open(directory + "/relay", FileOpening.OpenOrCreate);
        byte[] bytes = new byte[CopyBytes];
        long at = 0;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            file.Write(at, bytes);
            at += bytes.Length;
            if (isSynced)
            {
                file.Sync();
            }
        }

        double rate = at / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
        Console.WriteLine($"relay, 1 MiB writes, {(isSynced ? "each synced" : "not synced")}: {rate:F0} MB/s");
        file.SetLength(0);
    }

    private static void Append(MessageBroker broker, string name, int partitions, byte[] batch, double seconds)
    {
        IReadOnlyList<Partition> all = Create(broker, name, partitions, name.Split('-')[0]).Partitions;
        using Process process = Process.GetCurrentProcess();
        TimeSpan cpu = process.TotalProcessorTime;
        long allocated = GC.GetTotalAllocatedBytes();
        long start = Stopwatch.GetTimestamp();
        long batches = 0;
        using var signal = new DurableSignal();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            Partition partition = all[(int)(batches % all.Count)];
            AppendResult result = partition.Append(batch, new AppendOptions());
            if (result.Error == StreamError.Busy)
            {
                signal.Wait(partition, partition.EndOffset);
                continue;
            }

            batches++;
        }

        Wait(all);
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        double records = (double)batches * BatchRecords;
        double micros = (process.TotalProcessorTime - cpu).TotalMicroseconds / records;
        double perBatch = (GC.GetTotalAllocatedBytes() - allocated) / (double)batches;
        Console.WriteLine(
            $"append {name,-9}: {records / elapsed / 1e6:F2} M records/s, {batches * batch.Length / elapsed / 1e6:F0} "
            + $"MB/s, {micros:F3} us CPU a record, {perBatch:F0} B allocated a batch");
    }

    private static void Read(Partition partition, double seconds)
    {
        long end = partition.HighWatermark;
        ReadLoop("read, newest bytes  ", partition, end - 60_000, seconds);
        ReadLoop("read, from the start", partition, 0, seconds);
    }

    private static void ReadLoop(string what, Partition partition, long from, double seconds)
    {
        using var read = new StreamRead();
        var options = new ReadOptions { BytesMax = CopyBytes, AtLeastOneBatch = true };
        byte[] target = new byte[CopyBytes];
        using Process process = Process.GetCurrentProcess();
        TimeSpan cpu = process.TotalProcessorTime;
        long start = Stopwatch.GetTimestamp();
        long bytes = 0;
        long records = 0;
        long offset = from;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            partition.Read(offset, options, read);
            int at = 0;
            foreach (ReadOnlyMemory<byte> part in read.Memory)
            {
                part.Span.CopyTo(target.AsSpan(at));
                at += part.Length;
            }

            at += read.IsInFile ? read.ReadFile(0, target) : 0;
            bytes += at;
            records += at / (RecordBytes + 7);
            offset = at == 0 ? from : read.NextOffset;
        }

        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        Console.WriteLine($"{what}: {bytes / elapsed / 1e6:F0} MB/s, "
            + $"{(process.TotalProcessorTime - cpu).TotalMicroseconds / records:F3} us CPU a record, in "
            + $"{(read.IsInFile ? "file" : "memory")}");
    }

    private static void Latency(MessageBroker broker, double seconds)
    {
        Partition partition = Create(broker, "latency", 1, "group").Partitions[0];
        byte[] batch = MakeBatch(1, RecordBytes);
        using var signal = new DurableSignal();
        var times = new List<double>();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            long before = Stopwatch.GetTimestamp();
            signal.Wait(partition, partition.Append(batch, new AppendOptions()).DurableAt);
            times.Add(Stopwatch.GetElapsedTime(before).TotalMicroseconds);
        }

        times.Sort();
        Console.WriteLine($"one batch in flight, append to durable: p50 {times[times.Count / 2]:F0} us, "
            + $"p99 {times[times.Count * 99 / 100]:F0} us");
    }

    private static void Wait(IReadOnlyList<Partition> partitions)
    {
        using var signal = new DurableSignal();
        foreach (Partition partition in partitions)
        {
            signal.Wait(partition, partition.EndOffset);
        }
    }

    private static void Idle(string when)
    {
        using Process process = Process.GetCurrentProcess();
        GC.Collect();
        Thread.Sleep(1000);
        process.Refresh();
        TimeSpan cpu = process.TotalProcessorTime;
        Thread.Sleep(6000);
        process.Refresh();
        double share = (process.TotalProcessorTime - cpu).TotalSeconds / 6 * 100;
        Console.WriteLine(
            $"{when}: {process.WorkingSet64 / 1e6:F0} MB resident, idle {share:F1} % of a core, "
            + $"{process.Threads.Count} threads");
    }

    private sealed class DurableSignal : IDurableWaiter, IDisposable
    {
        private readonly SemaphoreSlim _signal = new(0);

        public void Wait(Partition partition, long offset)
        {
            partition.WhenDurable(offset, this);
            _signal.Wait();
        }

        public void OnDurable(long durablePosition) => _signal.Release();

        public void OnFailed(StorageFailedException failure) => _signal.Release();

        public void Dispose() => _signal.Dispose();
    }
}
