using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>One partition of a Fetch: what was asked, and what was read, which it holds until the answer has left.
/// </summary>
internal sealed class FetchedPartition : IRecordSource
{
    private readonly StreamRead _read = new();
    private readonly Partition? _partition;
    private ErrorCode _error;

    public FetchedPartition(KafkaSession session, SessionPartition place)
    {
        Place = place;
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

    /// <summary>Whether there is something to say that must not wait for records.</summary>
    public bool NeedsAnswer => _error != ErrorCode.None || _read.DivergingEpoch >= 0;

    /// <summary>Whether the reader has not been told all of this.</summary>
    public bool HasNews => NeedsAnswer || Bytes > 0 || Place.Told != Ends;

    private (long, long, long)? Ends => (_read.HighWatermark, _read.LastStableOffset, _read.StartOffset);

    /// <summary>Reads at most so many bytes; what was read before is forgotten.</summary>
    public void Read(int bytesMax, bool isFirst, Isolation isolation)
    {
        _read.Reset();
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
    public FetchResponse.PartitionData Answer()
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
