using System.Buffers;
using Microsoft.Extensions.Logging;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Streams.Reading;

/// <summary>How a look for a record's stretch ended.</summary>
internal enum StretchFound : byte
{
    /// <summary>It is there.</summary>
    Here,

    /// <summary>Its bytes must come from disk: <see cref="StretchReader.ReadAsync"/>.</summary>
    OnDisk,

    /// <summary>There is no such record yet.</summary>
    AtEnd,

    /// <summary>Retention has taken it, or the stream is gone.</summary>
    Gone,
}

/// <summary>Finds the stretch of a record and keeps hold of the last one, for readers mostly go on where they were.
/// One owner.</summary>
internal sealed partial class StretchReader : IDisposable
{
    private const int ReadBytes = 256 << 10;

    private static readonly ReadOptions Options = new()
    {
        BytesMax = ReadBytes,
        AtLeastOneBatch = true,
        Isolation = Isolation.Committed,
    };

    private readonly StreamRead _read = new();
    private RecordStretch? _last;

    /// <summary>Looks where no disk is needed. The stretch is the reader's: whoever keeps it takes a hold.</summary>
    public StretchFound TryFind(Partition partition, long offset, out RecordStretch? stretch)
    {
        if (_last?.Covers(partition, offset) == true)
        {
            stretch = _last;
            return StretchFound.Here;
        }

        stretch = partition.Services.Stretches.Find(partition, offset);
        if (stretch is null)
        {
            StreamError error = partition.Read(offset, Options, _read);
            if (error != StreamError.None || _read.Bytes == 0 || _read.IsInFile)
            {
                bool isInFile = _read.IsInFile;
                _read.Reset();
                return isInFile ? StretchFound.OnDisk : WhyNot(partition, error, offset);
            }

            stretch = FromMemory(partition, offset, _read);
            _read.Reset();
            if (stretch is null)
            {
                return StretchFound.AtEnd;
            }
        }

        Keep(stretch);
        return StretchFound.Here;
    }

    /// <summary>Takes over the caller's hold of a stretch that was read.</summary>
    public void Keep(RecordStretch stretch)
    {
        _last?.Release();
        _last = stretch;
    }

    /// <summary>Reads from disk what <see cref="TryFind"/> did not find. The caller gets a hold; null when it is not
    /// there any more. Any thread. Throws <see cref="StorageException"/>.</summary>
    public static async Task<RecordStretch?> ReadAsync(Partition partition, long offset)
    {
        if (partition.Services.Stretches.Find(partition, offset) is { } known)
        {
            return known;
        }

        using StreamRead read = new();
        if (partition.Read(offset, Options, read) != StreamError.None || read.Bytes == 0)
        {
            return null;
        }

        if (!read.IsInFile)
        {
            return FromMemory(partition, offset, read);
        }

        byte[] bytes = ArrayPool<byte>.Shared.Rent(read.Bytes);
        try
        {
            int count = 0;
            while (count < read.Bytes)
            {
                int piece = await read.ReadFileAsync(count, bytes.AsMemory(count, read.Bytes - count), default)
                    .ConfigureAwait(false);
                count += piece > 0 ? piece : throw new StorageException("a segment of a stream ends too early");
            }

            Maker maker = new(partition, offset, isTrusted: false);
            maker.Add(bytes.AsSpan(0, count));
            return maker.Finish();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _last?.Release();
        _last = null;
        _read.Dispose();
    }

    private static StretchFound WhyNot(Partition partition, StreamError error, long offset) =>
        error == StreamError.None || offset >= partition.StartOffset && !partition.Stream.IsDeleted
            ? StretchFound.AtEnd : StretchFound.Gone;

    private static RecordStretch? FromMemory(Partition partition, long offset, StreamRead read)
    {
        Maker maker = new(partition, offset, isTrusted: true);
        foreach (ReadOnlyMemory<byte> piece in read.Memory)
        {
            if (!maker.Add(piece.Span))
            {
                break;
            }
        }

        return maker.Finish();
    }

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Stream {Stream}, partition {Partition}: the batch at offset {Offset} is damaged and is left out.")]
    private static partial void LogDamaged(ILogger logger, string stream, int partition, long offset);

    /// <summary>Makes one stretch out of batches that follow each other.</summary>
    private struct Maker(Partition partition, long offset, bool isTrusted)
    {
        private RecordStretch? _stretch;

        /// <summary>False: enough.</summary>
        public bool Add(ReadOnlySpan<byte> bytes)
        {
            while (_stretch?.IsFull != true
                && RecordBatch.TryRead(bytes, out RecordBatch batch) == RecordBatchFault.None)
            {
                _stretch ??= new RecordStretch(partition, Math.Min(offset, batch.BaseOffset));
                if ((isTrusted || batch.IsCrcValid) && _stretch.TryAdd(batch))
                {
                    bytes = bytes[batch.SizeBytes..];
                    continue;
                }

                // What does not fit behind others may fit alone; what does not fit alone is no good.
                if (_stretch.To == _stretch.From)
                {
                    LogDamaged(partition.Services.Logger, partition.Stream.Name, partition.Number, batch.BaseOffset);
                    _stretch.SkipTo(batch.NextOffset);
                }

                return false;
            }

            return _stretch?.IsFull != true;
        }

        public readonly RecordStretch? Finish()
        {
            if (_stretch is not null)
            {
                partition.Services.Stretches.Add(_stretch);
            }

            return _stretch;
        }
    }
}
