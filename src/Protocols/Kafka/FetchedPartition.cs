using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>One partition of a Fetch: what was asked, and what was read, which it holds until the answer has left.
/// </summary>
internal sealed class FetchedPartition(
    int topic, FetchRequest.FetchPartition wanted, Partition? partition, ErrorCode error) : IRecordSource
{
    private readonly StreamRead _read = new();
    private ErrorCode _error = error;

    /// <summary>The place of its topic in the request.</summary>
    public int Topic { get; } = topic;

    /// <summary>Bytes of records that were read.</summary>
    public int Bytes => _read.Bytes;

    int IRecordSource.Length => _read.Bytes;

    /// <summary>Whether there is something to say that must not wait for records.</summary>
    public bool NeedsAnswer => _error != ErrorCode.None || _read.DivergingEpoch >= 0;

    /// <summary>Reads at most so many bytes; what was read before is forgotten.</summary>
    public void Read(int bytesMax, bool isFirst, Isolation isolation)
    {
        _read.Reset();
        if (partition is null || (bytesMax <= 0 && !isFirst))
        {
            return;
        }

        var options = new ReadOptions
        {
            BytesMax = Math.Max(0, Math.Min(bytesMax, wanted.PartitionMaxBytes)),
            AtLeastOneBatch = isFirst,
            Isolation = isolation,
            LeaderEpoch = wanted.CurrentLeaderEpoch,
            LastFetchedEpoch = wanted.LastFetchedEpoch,
        };
        _error = ErrorCodes.Of(partition.Read(wanted.FetchOffset, options, _read));
    }

    /// <summary>Tells the awaiter what to watch.</summary>
    public void Watch(ReadAwaiter awaiter, Isolation isolation)
    {
        if (partition is not null)
        {
            awaiter.Add(
                partition, isolation == Isolation.Committed ? _read.LastStableOffset : _read.HighWatermark, isolation);
        }
    }

    /// <summary>The answer; it refers to what was read.</summary>
    public FetchResponse.PartitionData Answer(short version)
    {
        if (_error != ErrorCode.None || partition is null)
        {
            return new()
            {
                PartitionIndex = wanted.Partition,
                ErrorCode = (short)_error,
                HighWatermark = -1,
                Records = new RecordBytes(ReadOnlyMemory<byte>.Empty),
            };
        }

        return new()
        {
            PartitionIndex = wanted.Partition,
            HighWatermark = _read.HighWatermark,
            LastStableOffset = _read.LastStableOffset,
            LogStartOffset = _read.StartOffset,
            DivergingEpoch = _read.DivergingEpoch < 0
                ? null
                : new() { Epoch = _read.DivergingEpoch, EndOffset = _read.DivergingEndOffset },
            AbortedTransactions = Aborted(),
            Records = _read.Bytes > 0 ? new RecordBytes(this) : new RecordBytes(ReadOnlyMemory<byte>.Empty),
        };
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

    public void Dispose() => _read.Dispose();

    private FetchResponse.AbortedTransaction[] Aborted() => _read.Aborted.Count == 0 ? [] :
    [
        .. _read.Aborted.Select(a => new FetchResponse.AbortedTransaction
        {
            ProducerId = a.ProducerId,
            FirstOffset = a.FirstOffset,
        }),
    ];
}
