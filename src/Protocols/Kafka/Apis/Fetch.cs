using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.FetchResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// Fetch: records from offsets on. Waits, without a thread or a timer of its own, until there are enough bytes or the
/// client's time is over. The first partition with records always gives a whole batch, however large.
/// </summary>
internal static class FetchApi
{
    public static ValueTask<FetchResponse?> HandleAsync(ApiCall call, FetchRequest request)
    {
        FetchSession? session = call.Session.FetchSessions.Enter(request, out ErrorCode error);
        return session is null
            ? new(new FetchResponse { ErrorCode = (short)error })
            : new FetchWork(call, request, session).RunAsync();
    }
}

/// <summary>One Fetch request at work; it owns what was read until the answer has left.</summary>
internal sealed class FetchWork : IReadWaiter, IDisposable
{
    private readonly ApiCall _call;
    private readonly FetchRequest _request;
    private readonly FetchSession _session;
    private readonly bool _isIncremental;
    private readonly Isolation _isolation;
    private readonly List<FetchedPartition> _partitions = [];
    private TaskCompletionSource? _readable;

    public FetchWork(ApiCall call, FetchRequest request, FetchSession session)
    {
        _call = call;
        _request = request;
        _session = session;
        _session.InUse = true;
        _isIncremental = request.SessionEpoch > FetchSession.FirstEpoch;
        _isolation = request.IsolationLevel == 1 ? Isolation.Committed : Isolation.Uncommitted;
        foreach (SessionPartition partition in session.Partitions)
        {
            _partitions.Add(new FetchedPartition(call.Session, partition));
        }
    }

    private KafkaOptions Options => _call.Session.Environment.Options;

    private long NowMs => _call.Session.Environment.SteadyMs;

    /// <summary>Reads, waits as long as it should, and answers.</summary>
    public async ValueTask<FetchResponse?> RunAsync()
    {
        long deadlineMs = NowMs + Math.Clamp(_request.MaxWaitMs, 0, Options.FetchWaitMsMax);
        bool mayWait = _request.MaxWaitMs > 0 && _request.MinBytes > 0;
        while (!Read() && mayWait && !_call.Session.Closed.IsCancellationRequested)
        {
            if (!await WaitAsync(deadlineMs))
            {
                Read();
                break;
            }
        }

        FetchResponse response = Answer();
        _session.InUse = false;
        return response;
    }

    /// <summary>The waiter was told that there may be enough to read, or that time is over. Any thread.</summary>
    public void OnReadable() => _readable?.TrySetResult();

    public void Dispose()
    {
        foreach (FetchedPartition partition in _partitions)
        {
            partition.Dispose();
        }
    }

    // True: answer now, for there is enough or something is wrong.
    private bool Read()
    {
        int left = Math.Min(_request.MaxBytes, _call.Session.Throttle.FetchBytesMax(_call));
        int bytes = 0;
        bool fault = _partitions.Count == 0;
        foreach (FetchedPartition partition in _partitions)
        {
            partition.Read(left - bytes, isFirst: bytes == 0, _isolation);
            bytes += partition.Bytes;
            fault |= partition.NeedsAnswer;
        }

        return fault || bytes >= _request.MinBytes;
    }

    // False: time is over.
    private async ValueTask<bool> WaitAsync(long deadlineMs)
    {
        KafkaSession session = _call.Session;
        int leftMs = (int)(deadlineMs - NowMs);
        if (leftMs <= 0)
        {
            return false;
        }

        _readable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var awaiter = new ReadAwaiter(session.Streams, this);
        awaiter.Begin(_request.MinBytes - _partitions.Sum(p => p.Bytes), leftMs);
        foreach (FetchedPartition partition in _partitions)
        {
            partition.Watch(awaiter, _isolation);
        }

        if (awaiter.Arm())
        {
            using (session.Closed.Register(OnReadable))
            {
                await _readable.Task;
            }
        }

        awaiter.Cancel();
        return NowMs < deadlineMs;
    }

    private FetchResponse Answer()
    {
        var topics = new List<FetchableTopicResponse>();
        var partitions = new List<PartitionData>();
        SessionPartition? last = null;
        SessionPartition? topic = null;
        foreach (FetchedPartition partition in _partitions)
        {
            if (_isIncremental && !partition.HasNews)
            {
                continue;
            }

            if (topic is not null && (topic.Topic, topic.TopicId) != (partition.Place.Topic, partition.Place.TopicId))
            {
                topics.Add(Topic(topic, partitions));
            }

            topic = partition.Place;
            partitions.Add(partition.Answer(_call.Version));
            last = partition.Bytes > 0 ? partition.Place : last;
        }

        if (topic is not null)
        {
            topics.Add(Topic(topic, partitions));
        }

        if (last is not null && _session.Id != 0)
        {
            _session.ContinueBehind(last);
        }

        return new FetchResponse { SessionId = _session.Id, Responses = [.. topics], Owner = this };
    }

    private static FetchableTopicResponse Topic(SessionPartition topic, List<PartitionData> partitions)
    {
        var response = new FetchableTopicResponse
        {
            Topic = topic.Topic,
            TopicId = topic.TopicId,
            Partitions = [.. partitions],
        };
        partitions.Clear();
        return response;
    }
}
