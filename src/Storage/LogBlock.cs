namespace Pillarbox.Storage;

/// <summary>A stretch of the log in memory. Counted: the cache _holds one count, each lease another.</summary>
internal sealed class LogBlock(byte[] data, long start)
{
    private int _holds = 1;

    public byte[] Data { get; } = data;

    public long Start { get; } = start;

    public void Release() => Interlocked.Decrement(ref _holds);
}
