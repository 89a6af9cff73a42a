using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.MessageSets;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>One partition of a Fetch: what was asked, and what was read, which it holds until the answer has left.
/// </summary>
internal sealed class FetchedPartition : IRecordSource
{
    // Versions up to 1 have messages of format 0, up to 3 those of format 1.
    private const short LastOfFormat0 = 1;
    private const short LastOfFormat1 = 3;

    // What the records of one batch may be without compression: all of it has to fit into an answer for such clients.
    private const int PlainBytesMax = 128 << 20;

    private readonly StreamRead _read = new();
    private readonly Partition? _partition;
    private readonly KafkaSession _session;
    private ErrorCode _error;
    private PooledBuffer? _converted;
    private long _held;

    public FetchedPartition(KafkaSession session, SessionPartition place)
    {
        Place = place;
        _session = session;
        _error = session.Find(place.Topic, place.TopicId, Permission.Consume, out RecordStream? stream);
        _partition = stream?.FindPartition(place.Wanted.Partition);
        if (_error == ErrorCode.None && _partition is null)
        {
            _error = ErrorCode.UnknownTopicOrPartition;
        }
    }

    /// <summary>What was asked.</summary>
    public SessionPartition Place { get; }

    /// <summary>Bytes of records that were read.</summary>
    public int Bytes => _read.Bytes;

    int IRecordSource.Length => _read.Bytes;

    IReadOnlyList<ReadOnlyMemory<byte>> IRecordSource.Memory => _read.Memory;

    /// <summary>Whether there is something to say that must not wait for records.</summary>
    public bool NeedsAnswer => _error != ErrorCode.None || _read.DivergingEpoch >= 0;

    /// <summary>Whether the reader has not been told all of this.</summary>
    public bool HasNews => NeedsAnswer || Bytes > 0 || Place.Told != Ends;

    private (long, long, long)? Ends => (_read.HighWatermark, _read.LastStableOffset, _read.StartOffset);

    /// <summary>Reads at most so many bytes; what was read before is forgotten.</summary>
    public void Read(int bytesMax, bool isFirst, Isolation isolation)
    {
        _read.Reset();
        Hold(0);
        if (_partition is null)
        {
            return;
        }

        FetchRequest.FetchPartition wanted = Place.Wanted;
        var options = new ReadOptions
        {
            BytesMax = Math.Max(0, Math.Min(bytesMax, wanted.PartitionMaxBytes)),
            AtLeastOneBatch = isFirst,
            Isolation = isolation,
            LeaderEpoch = wanted.CurrentLeaderEpoch,
            LastFetchedEpoch = wanted.LastFetchedEpoch,
        };
        _error = ErrorCodes.Of(_partition.Read(wanted.FetchOffset, options, _read));
        Hold(_read.IsInFile ? 0 : _read.Bytes);
    }

    /// <summary>The last offset of what was read, which is something.</summary>
    public long LastOffset()
    {
        Span<byte> header = stackalloc byte[RecordBatch.HeaderBytes];
        long last = Place.Wanted.FetchOffset;
        for (int at = 0; TryReadHeader(at, header, out RecordBatch batch); at += batch.SizeBytes)
        {
            last = batch.LastOffset;
        }

        return last;
    }

    /// <summary>Runs of offsets, in order, that belong to aborted transactions.</summary>
    public List<(long First, long Last)> AbortedRuns()
    {
        List<(long First, long Last)> runs = [];
        if (_read.Aborted.Count == 0)
        {
            return runs;
        }

        Span<byte> header = stackalloc byte[RecordBatch.HeaderBytes];
        for (int at = 0; TryReadHeader(at, header, out RecordBatch batch); at += batch.SizeBytes)
        {
            if (batch.IsControl || !_partition!.IsAborted(batch))
            {
                continue;
            }

            if (runs.Count > 0 && runs[^1].Last == batch.BaseOffset - 1)
            {
                runs[^1] = (runs[^1].First, batch.LastOffset);
            }
            else
            {
                runs.Add((batch.BaseOffset, batch.LastOffset));
            }
        }

        return runs;
    }

    private bool TryReadHeader(int at, Span<byte> buffer, out RecordBatch batch)
    {
        batch = default;
        if (at + buffer.Length > _read.Bytes)
        {
            return false;
        }

        CopyTo(at, buffer);
        return RecordBatch.TryReadHeader(buffer, out batch) == RecordBatchFault.None;
    }

    /// <summary>Tells the awaiter what to watch.</summary>
    public void Watch(ReadAwaiter awaiter, Isolation isolation)
    {
        if (_partition is not null)
        {
            long seen = isolation == Isolation.Committed ? _read.LastStableOffset : _read.HighWatermark;
            awaiter.Add(_partition, seen, isolation);
        }
    }

    /// <summary>The answer; it refers to what was read.</summary>
    public FetchResponse.PartitionData Answer(short version)
    {
        if (_error != ErrorCode.None)
        {
            Place.Told = null;
            return new()
            {
                PartitionIndex = Place.Wanted.Partition,
                ErrorCode = (short)_error,
                HighWatermark = -1,
                Records = new RecordBytes(ReadOnlyMemory<byte>.Empty),
            };
        }

        Place.Told = Ends;
        return new()
        {
            PartitionIndex = Place.Wanted.Partition,
            HighWatermark = _read.HighWatermark,
            LastStableOffset = _read.LastStableOffset,
            LogStartOffset = _read.StartOffset,
            DivergingEpoch = _read.DivergingEpoch < 0
                ? null
                : new() { Epoch = _read.DivergingEpoch, EndOffset = _read.DivergingEndOffset },
            AbortedTransactions = Aborted(),
            Records = Records(version),
        };
    }

    bool IRecordSource.TryGetFile([NotNullWhen(true)] out SafeFileHandle? file, out long offset)
    {
        file = _read.IsInFile ? _read.Handle : null;
        offset = _read.FileOffset;
        return file is not null;
    }

    public void CopyTo(int offset, Span<byte> target)
    {
        if (_read.IsInFile)
        {
            for (int done = 0; done < target.Length;)
            {
                int count = _read.ReadFile(offset + done, target[done..]);
                done += count > 0 ? count : throw new IOException("a segment is shorter than its index says");
            }

            return;
        }

        foreach (ReadOnlyMemory<byte> part in _read.Memory)
        {
            if (offset >= part.Length)
            {
                offset -= part.Length;
                continue;
            }

            int count = Math.Min(part.Length - offset, target.Length);
            part.Span.Slice(offset, count).CopyTo(target);
            target = target[count..];
            offset = 0;
            if (target.IsEmpty)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _read.Dispose();
        _converted?.Dispose();
        _converted = null;
        Hold(0);
    }

    // The session knows what its answers keep in memory: the log's newest bytes too stay there for as long.
    private void Hold(long bytes)
    {
        _session.Hold(bytes - _held);
        _held = bytes;
    }

    private RecordBytes Records(short version)
    {
        if (_read.Bytes == 0)
        {
            return new RecordBytes(ReadOnlyMemory<byte>.Empty);
        }

        if (version > LastOfFormat1)
        {
            return new RecordBytes(this);
        }

        using var batches = new PooledBuffer();
        _read.CopyTo(batches);
        _converted = new PooledBuffer();
        byte magic = version <= LastOfFormat0 ? (byte)0 : (byte)1;
        MessageSetWriter.Convert(
            batches.WrittenSpan, magic, PlainBytesMax, _converted, Place.Wanted.FetchOffset);
        Hold(_held + _converted.WrittenMemory.Length);
        return new RecordBytes(_converted.WrittenMemory);
    }

    private FetchResponse.AbortedTransaction[] Aborted() => _read.Aborted.Count == 0 ? [] :
    [
        .. _read.Aborted.Select(a => new FetchResponse.AbortedTransaction
        {
            ProducerId = a.ProducerId,
            FirstOffset = a.FirstOffset,
        }),
    ];
}
