using System.Buffers;
using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>Goes over the headers of a file's batches without reading the batches. One owner.</summary>
internal sealed class HeaderScan(IFile file, long end, long from) : IDisposable
{
    private const int WindowBytes = 4096;
    private readonly byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private long _windowStart = from;
    private int _windowBytes;
    private long _next = from;

    /// <summary>Where the batch of the header that was read last begins in the file.</summary>
    public long Position { get; private set; }

    /// <summary>The next header; false at the end, or where there is none.</summary>
    public bool TryNext(out RecordBatch header)
    {
        header = default;
        Position = _next;
        if (end - _next < RecordBatch.HeaderBytes)
        {
            return false;
        }

        if (_next + RecordBatch.HeaderBytes > _windowStart + _windowBytes)
        {
            _windowStart = _next;
            _windowBytes = file.Read(_next, _window.AsSpan(0, (int)Math.Min(WindowBytes, end - _next)));
        }

        int at = (int)(_next - _windowStart);
        if (RecordBatch.TryReadHeader(_window.AsSpan(at, _windowBytes - at), out header) != RecordBatchFault.None
            || header.SizeBytes > end - _next)
        {
            return false;
        }

        _next += header.SizeBytes;
        return true;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_window);
}
