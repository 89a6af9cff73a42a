using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.ShareFetchResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// ShareFetch: takes what the member did with earlier records, then gives it records that no other member has, with a
/// lock on each. Records that come free later are looked for in steps, for nothing wakes a fetch for them.
/// </summary>
internal static class ShareFetchApi
{
    public static async ValueTask<ShareFetchResponse?> HandleAsync(ApiCall call, ShareFetchRequest request)
    {
        KafkaSession session = call.Session;
        ShareSession? share = session.Share;
        ErrorCode error = session.MayJoin(request.GroupId ?? "")
            ? ShareSession.Enter(ref share, request.GroupId, request.MemberId, request.ShareSessionEpoch)
            : ErrorCode.GroupAuthorizationFailed;
        if (error != ErrorCode.None)
        {
            return new ShareFetchResponse { ErrorCode = (short)error };
        }

        if (request.ShareSessionEpoch == ShareSession.FirstEpoch)
        {
            share!.Begin(session);
            session.Share?.Abandon(session);
        }

        session.Share = request.ShareSessionEpoch == ShareSession.FinalEpoch ? null : share;
        share!.Update(request);
        return await new ShareFetchWork(session, request, share).RunAsync();
    }
}

/// <summary>One ShareFetch request at work; it owns what was read until the answer has left.</summary>
internal sealed class ShareFetchWork(KafkaSession session, ShareFetchRequest request, ShareSession share)
    : IReadWaiter, IDisposable
{
    private const int StepMs = 250;
    private const int PartitionBytesMax = 1 << 20;

    // So often is read on in a partition at once, where a read has found nothing but what was aborted.
    private const int AbortedReadsMax = 64;

    private readonly List<(FetchedPartition Partition, Isolation Isolation)> _read = [];
    private readonly Dictionary<TopicIdPartition, PartitionData> _answers = [];
    private TaskCompletionSource _readable = new();
    private int _lockMs;

    public async ValueTask<ShareFetchResponse?> RunAsync()
    {
        await AcknowledgeAsync();
        if (request.ShareSessionEpoch == ShareSession.FinalEpoch)
        {
            share.Release(session);
            return Answer();
        }

        if (request.IsRenewAck)
        {
            // Reading may take as long as the locks that were just renewed (KIP-1222).
            ShareLimits limits = await session.AskAsync<ShareLimits>(
                (all, done) => all.Shares.LimitsOf(share.GroupId, done));
            _lockMs = limits.LockMs;
            return Answer();
        }

        long deadlineMs = session.Environment.SteadyMs
            + Math.Clamp(request.MaxWaitMs, 0, session.Environment.Options.FetchWaitMsMax);
        while (!await AcquireAsync() && !session.Closed.IsCancellationRequested)
        {
            int leftMs = (int)(deadlineMs - session.Environment.SteadyMs);
            if (leftMs <= 0)
            {
                break;
            }

            await WaitAsync(Math.Min(leftMs, StepMs));
        }

        return Answer();
    }

    public void OnReadable() => _readable.TrySetResult();

    public void Dispose()
    {
        foreach ((FetchedPartition partition, _) in _read)
        {
            partition.Dispose();
        }
    }

    private async ValueTask AcknowledgeAsync()
    {
        foreach (ShareFetchRequest.FetchTopic topic in request.Topics)
        {
            foreach (ShareFetchRequest.FetchPartition p in topic.Partitions)
            {
                var key = new TopicIdPartition(topic.TopicId, p.PartitionIndex);
                ErrorCode error = await share.AcknowledgeAsync(
                    session, key,
                    [.. p.AcknowledgementBatches.Select(
                        b => ShareSession.Range(b.FirstOffset, b.LastOffset, b.AcknowledgeTypes))]);
                if (p.AcknowledgementBatches.Length > 0)
                {
                    AnswerOf(key).AcknowledgeErrorCode = (short)error;
                }
            }
        }
    }

    // True: there is something to tell at once.
    private async ValueTask<bool> AcquireAsync()
    {
        Dispose();
        _read.Clear();
        bool found = _answers.Count > 0;
        int bytes = 0;
        int records = request.MaxRecords > 0 ? request.MaxRecords : int.MaxValue;
        foreach (TopicIdPartition key in share.Partitions)
        {
            if (records > 0 && bytes < Math.Max(1, request.MaxBytes))
            {
                (int taken, int size) = await AcquireAsync(key, records, request.MaxBytes - bytes);
                records -= taken;
                bytes += size;
                found |= taken > 0 || AnswerOrNull(key) is { ErrorCode: not 0 };
            }
        }

        return found;
    }

    private async ValueTask<(int Records, int Bytes)> AcquireAsync(TopicIdPartition key, int recordsMax, int bytesMax)
    {
        ErrorCode error = session.Find("", key.TopicId, Permission.Consume, out RecordStream? stream);
        Partition? partition = stream?.FindPartition(key.Partition);
        if (partition is null)
        {
            AnswerOf(key).ErrorCode = (short)(error == ErrorCode.None ? ErrorCode.UnknownTopicOrPartition : error);
            return default;
        }

        for (int reads = 1; ; reads++)
        {
            (ShareAcquireResult? acquired, FetchedPartition? read, bool readsOn) =
                await ReadAsync(partition, key, recordsMax, bytesMax);
            if (acquired is null || acquired.Ranges.Count > 0 || !readsOn || reads == AbortedReadsMax)
            {
                return acquired is null ? default : Take(key, read!, acquired);
            }

            read!.Dispose();
            _read.RemoveAt(_read.Count - 1);
        }
    }

    // Nothing acquired: there is nothing to read now. Reads on: it was all of aborted transactions.
    private async ValueTask<(ShareAcquireResult? Acquired, FetchedPartition? Read, bool ReadsOn)> ReadAsync(
        Partition partition, TopicIdPartition key, int recordsMax, int bytesMax)
    {
        var shared = new SharePartitionKey(share.GroupId, key);
        SharePosition position = await OpenAsync(partition, shared);
        if (position.Error != CoordinatorError.None)
        {
            AnswerOf(key).ErrorCode = position.Error.Code();
            return default;
        }

        var place = new SessionPartition("", key.TopicId)
        {
            Wanted = new()
            {
                Partition = key.Partition,
                FetchOffset = Math.Max(position.NextOffset, partition.StartOffset),
                PartitionMaxBytes = PartitionBytesMax,
            },
        };
        var read = new FetchedPartition(session, place);
        _read.Add((read, position.Isolation));
        read.Read(bytesMax, isFirst: true, position.Isolation);
        if (read.Bytes == 0)
        {
            return default;
        }

        var acquire = new ShareAcquireRequest
        {
            Key = shared,
            MemberId = share.MemberId,
            First = place.Wanted.FetchOffset,
            Last = read.LastOffset(),
            RecordsMax = recordsMax,
            Aborted = read.AbortedRuns(),
        };
        ShareAcquireResult acquired = await session.AskAsync<ShareAcquireResult>(
            (all, done) => all.Shares.Acquire(acquire, done));
        return (acquired, read, acquire.Aborted.Count > 0);
    }

    // A group that begins at a time has to be told where that is.
    private async ValueTask<SharePosition> OpenAsync(Partition partition, SharePartitionKey shared)
    {
        SharePosition position = await AskAsync(null);
        if (position is { Error: CoordinatorError.None, BeginAtMs: { } beginAtMs })
        {
            OffsetResult found = partition.ListOffset(beginAtMs, Isolation.Uncommitted);
            position = found.Error != StreamError.None ? SharePosition.Of(CoordinatorError.CoordinatorNotAvailable)
                : await AskAsync(found.Offset >= 0 ? found.Offset : partition.HighWatermark);
        }

        return position;

        Task<SharePosition> AskAsync(long? byTime) => session.AskAsync<SharePosition>((all, done) =>
            all.Shares.Open(shared, partition.StartOffset, partition.HighWatermark, byTime, done));
    }

    private (int Records, int Bytes) Take(TopicIdPartition key, FetchedPartition read, ShareAcquireResult acquired)
    {
        if (acquired.Error != CoordinatorError.None || acquired.Ranges.Count == 0)
        {
            return default;
        }

        _lockMs = acquired.LockMs;
        PartitionData answer = AnswerOf(key);
        answer.Records = new RecordBytes(read);
        answer.AcquiredRecords =
        [
            .. acquired.Ranges.Select(r => new AcquiredRecords
            {
                FirstOffset = r.First,
                LastOffset = r.Last,
                DeliveryCount = r.DeliveryCount,
            }),
        ];
        return ((int)acquired.Ranges.Sum(r => r.Last - r.First + 1), read.Bytes);
    }

    private async ValueTask WaitAsync(int waitMs)
    {
        _readable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var awaiter = new ReadAwaiter(session.Streams, this);
        awaiter.Begin(1, waitMs);
        foreach ((FetchedPartition partition, Isolation isolation) in _read)
        {
            partition.Watch(awaiter, isolation);
        }

        if (awaiter.Arm())
        {
            using (session.Closed.Register(OnReadable))
            {
                await _readable.Task;
            }
        }

        awaiter.Cancel();
    }

    private PartitionData AnswerOf(TopicIdPartition key)
    {
        if (!_answers.TryGetValue(key, out PartitionData? answer))
        {
            answer = new()
            {
                PartitionIndex = key.Partition,
                Records = new RecordBytes(ReadOnlyMemory<byte>.Empty),
            };
            _answers.Add(key, answer);
        }

        return answer;
    }

    private PartitionData? AnswerOrNull(TopicIdPartition key) => _answers.GetValueOrDefault(key);

    private ShareFetchResponse Answer() => new()
    {
        Owner = this,
        AcquisitionLockTimeoutMs = _lockMs,
        Responses =
        [
            .. _answers.GroupBy(a => a.Key.TopicId).Select(g => new ShareFetchableTopicResponse
            {
                TopicId = g.Key,
                Partitions = [.. g.Select(a => a.Value)],
            }),
        ],
    };
}
