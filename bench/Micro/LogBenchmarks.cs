using BenchmarkDotNet.Attributes;
using Pillarbox.Storage;

namespace Pillarbox.Micro;

/// <summary>The log's hot calls on memory: what an append, a read and a reference cost without the disk.</summary>
[MemoryDiagnoser]
public class LogBenchmarks
{
    private const int RoundBytes = 32 << 20;
    private readonly LogBatch _batch = new(1 << 20);
    private readonly byte[] _payload = new byte[16 << 10];
    private SegmentedLog? _log;
    private long _position;
    private long _flushedAt;

    /// <summary>Bytes of one record.</summary>
    [Params(100, 1024, 10240)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var options = new LogOptions { OwnThread = false, Mode = LogMode.Spill, CacheBytes = 64 << 20 };
        _log = SegmentedLog.Open(new MemoryFileSystem(), "log", options);
        _batch.Add(1, _payload.AsSpan(0, Size), references: 1);
        _position = _log.Append(_batch);
    }

    [GlobalCleanup]
    public void Cleanup() => _log?.Dispose();

    /// <summary>Building a batch of 32 records: copy and checksum.</summary>
    [Benchmark(OperationsPerInvoke = 32)]
    public int Build32()
    {
        _batch.Clear();
        for (int i = 0; i < 32; i++)
        {
            _batch.Add(1, _payload.AsSpan(0, Size));
        }

        return _batch.Bytes;
    }

    /// <summary>Building and appending a batch of 32 records.</summary>
    [Benchmark(OperationsPerInvoke = 32)]
    public long Append32()
    {
        Build32();
        long position = _log!.Append(_batch);
        if (position - _flushedAt > RoundBytes)
        {
            _flushedAt = position;
            _log.Flush();
        }

        return position;
    }

    /// <summary>Reading a record that is in memory.</summary>
    [Benchmark]
    public int TryRead()
    {
        if (!_log!.TryRead(_position, out LogLease lease))
        {
            throw new InvalidOperationException("the record left memory");
        }

        int length = lease.Length;
        lease.Dispose();
        return length;
    }

    /// <summary>Counting a reference and taking it back.</summary>
    [Benchmark]
    public void Reference()
    {
        _log!.AddReferences(_position, 1, Size);
        _log.ReleaseReference(_position, Size);
    }
}
