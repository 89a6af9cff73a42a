using Pillarbox.Broker.Security;
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
    public static ValueTask<FetchResponse?> HandleAsync(ApiCall call, FetchRequest request) =>
        new FetchWork(call, request).RunAsync();
}

/// <summary>One Fetch request at work; it owns what was read until the answer has left.</summary>
internal sealed class FetchWork(ApiCall call, FetchRequest request) : IReadWaiter, IDisposable
{
    private readonly List<FetchedPartition> _partitions = [];
    private TaskCompletionSource? _readable;

    /// <summary>Reads, waits as long as it should, and answers.</summary>
    public async ValueTask<FetchResponse?> RunAsync()
    {
        Resolve();
        long deadlineMs = call.Session.Environment.SteadyMs
            + Math.Clamp(request.MaxWaitMs, 0, call.Session.Environment.Options.FetchWaitMsMax);
        bool mayWait = request.MaxWaitMs > 0 && request.MinBytes > 0;
        while (!Read() && mayWait && !call.Session.Closed.IsCancellationRequested)
        {
            if (!await WaitAsync(deadlineMs))
            {
                Read();
                break;
            }
        }

        return Answer();
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

    private void Resolve()
    {
        for (int t = 0; t < request.Topics.Length; t++)
        {
            FetchRequest.FetchTopic topic = request.Topics[t];
            ErrorCode error = call.Session.Find(
                topic.Topic, topic.TopicId, Permission.Consume, out RecordStream? stream);
            foreach (FetchRequest.FetchPartition wanted in topic.Partitions)
            {
                Partition? partition = stream?.FindPartition(wanted.Partition);
                ErrorCode fault = error == ErrorCode.None && partition is null
                    ? ErrorCode.UnknownTopicOrPartition
                    : error;
                _partitions.Add(new FetchedPartition(t, wanted, partition, fault));
            }
        }
    }

    // True: answer now, for there is enough or something is wrong.
    private bool Read()
    {
        int left = Math.Min(request.MaxBytes, call.Session.Environment.Options.FetchBytesMax);
        var isolation = request.IsolationLevel == 1 ? Isolation.Committed : Isolation.Uncommitted;
        int bytes = 0;
        bool fault = _partitions.Count == 0;
        foreach (FetchedPartition partition in _partitions)
        {
            partition.Read(left - bytes, isFirst: bytes == 0, isolation);
            bytes += partition.Bytes;
            fault |= partition.NeedsAnswer;
        }

        return fault || bytes >= request.MinBytes;
    }

    // False: time is over.
    private async ValueTask<bool> WaitAsync(long deadlineMs)
    {
        KafkaSession session = call.Session;
        int leftMs = (int)(deadlineMs - session.Environment.SteadyMs);
        if (leftMs <= 0)
        {
            return false;
        }

        _readable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var awaiter = new ReadAwaiter(session.Streams, this);
        awaiter.Begin(request.MinBytes - _partitions.Sum(p => p.Bytes), leftMs);
        var isolation = request.IsolationLevel == 1 ? Isolation.Committed : Isolation.Uncommitted;
        foreach (FetchedPartition partition in _partitions)
        {
            partition.Watch(awaiter, isolation);
        }

        if (!awaiter.Arm())
        {
            return true;
        }

        using (session.Closed.Register(OnReadable))
        {
            await _readable.Task;
        }

        awaiter.Cancel();
        return session.Environment.SteadyMs < deadlineMs;
    }

    private FetchResponse Answer()
    {
        var topics = new FetchableTopicResponse[request.Topics.Length];
        int next = 0;
        for (int t = 0; t < topics.Length; t++)
        {
            var partitions = new PartitionData[request.Topics[t].Partitions.Length];
            for (int p = 0; p < partitions.Length; p++)
            {
                partitions[p] = _partitions[next++].Answer(call.Version);
            }

            topics[t] = new()
            {
                Topic = request.Topics[t].Topic,
                TopicId = request.Topics[t].TopicId,
                Partitions = partitions,
            };
        }

        return new FetchResponse { Responses = topics, Owner = this };
    }
}
