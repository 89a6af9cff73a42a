using System.Buffers;
using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>Reads a file's batches one after another through a window of memory. One owner.</summary>
internal sealed class BatchScan(IFile file, long end, long from = 0) : IDisposable
{
    private const int WindowBytes = 256 << 10;
    private byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private long _windowStart = from;
    private int _windowBytes;
    private int _at;

    /// <summary>Where the batch that was read last begins in the file.</summary>
    public long Position { get; private set; }

    /// <summary>The next batch: lengths fit, the checksum is not looked at. False at the end, or where there is
    /// none.</summary>
    public bool TryNext(out RecordBatch batch)
    {
        Position = _windowStart + _at;
        RecordBatchFault fault = RecordBatch.TryRead(_window.AsSpan(_at, _windowBytes - _at), out batch);
        if (fault == RecordBatchFault.Incomplete && TryLoad())
        {
            fault = RecordBatch.TryRead(_window.AsSpan(_at, _windowBytes - _at), out batch);
        }

        if (fault != RecordBatchFault.None)
        {
            return false;
        }

        _at += batch.SizeBytes;
        return true;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_window);

    /// <summary>Loads a window that holds the whole next batch; false when the file is too short for it.</summary>
    private bool TryLoad()
    {
        Load(WindowBytes);
        if (RecordBatch.TryReadHeader(_window.AsSpan(0, _windowBytes), out RecordBatch header) != RecordBatchFault.None
            || header.SizeBytes > end - _windowStart)
        {
            return false;
        }

        if (header.SizeBytes > _windowBytes)
        {
            Load(header.SizeBytes);
        }

        return true;
    }

    private void Load(int bytes)
    {
        _windowStart += _at;
        _at = 0;
        if (_window.Length < bytes)
        {
            ArrayPool<byte>.Shared.Return(_window);
            _window = ArrayPool<byte>.Shared.Rent(bytes);
        }

        int wanted = (int)Math.Min(Math.Max(bytes, WindowBytes), Math.Max(0, end - _windowStart));
        _windowBytes = file.Read(_windowStart, _window.AsSpan(0, Math.Min(wanted, _window.Length)));
    }
}
