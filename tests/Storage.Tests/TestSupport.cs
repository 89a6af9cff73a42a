using System.Text;

namespace Pillarbox.Storage.Tests;

/// <summary>Records as a test sees them.</summary>
internal sealed record SeenRecord(long Position, byte Type, string Text);

internal sealed class RecordList : IRecordVisitor
{
    public List<SeenRecord> Seen { get; } = [];

    public IEnumerable<string> Texts => Seen.Select(record => record.Text);

    public void Visit(in LogRecord record) =>
        Seen.Add(new SeenRecord(record.Position, record.Type, Encoding.UTF8.GetString(record.Payload)));
}

internal sealed class TestWaiter : IDurableWaiter
{
    private readonly TaskCompletionSource<long> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<long> Done => _done.Task;

    public void OnDurable(long durablePosition) => _done.SetResult(durablePosition);

    public void OnFailed(StorageFailedException failure) => _done.SetException(failure);
}

/// <summary>A directory of its own under the system's temporary folder, removed at the end.</summary>
internal sealed class TempDirectory : IDisposable
{
    public TempDirectory() => Path = Directory.CreateTempSubdirectory("pillarbox-storage-").FullName;

    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class LogTesting
{
    /// <summary>Small sizes, no thread: a test calls Flush itself.</summary>
    public static LogOptions Small => new()
    {
        SegmentBytes = 4096,
        BlockBytes = 1024,
        CacheBytes = 8192,
        ReadAheadBytes = 1024,
        ReserveSegments = 1,
        PoolSegmentsMax = 2,
        OwnThread = false,
        ZeroFill = false,
    };

    public static SegmentedLog OpenAndReplay(
        this IFileSystem files, LogOptions options, out RecordList list, out RecoveryReport report, long from = 0)
    {
        SegmentedLog log = SegmentedLog.Open(files, "log", options);
        list = new RecordList();
        report = log.Replay(from, list);
        return log;
    }

    /// <summary>The first position of a segment file.</summary>
    public static long BaseOf(string name)
    {
        Assert.True(SegmentFiles.TryParseName(name, out long basePosition));
        return basePosition;
    }

    public static SegmentedLog OpenEmpty(this IFileSystem files, LogOptions options) =>
        files.OpenAndReplay(options, out _, out _);

    public static long AppendText(this SegmentedLog log, string text, byte type = 1)
    {
        var batch = new LogBatch();
        batch.Add(type, Encoding.UTF8.GetBytes(text));
        return log.Append(batch);
    }

    public static async Task<string> ReadTextAsync(this SegmentedLog log, long position)
    {
        using LogLease lease = await log.ReadAsync(position, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(lease.Span);
    }
}
