using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model.Records;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary>Fills streams and groups of a broker, as clients would.</summary>
internal static class Records
{
    /// <summary>Appends one batch; each record's value is a text, its key the same in upper case.</summary>
    public static async Task AppendAsync(
        this MessageBroker broker, string stream, int partition, long timestampMs, params string[] values)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(new RecordBatchOptions());
        foreach (string value in values)
        {
            builder.Add(new RecordContent
            {
                TimestampMs = timestampMs++,
                HasKey = true,
                Key = Encoding.UTF8.GetBytes(value.ToUpperInvariant()),
                HasValue = true,
                Value = Encoding.UTF8.GetBytes(value),
            });
        }

        Partition target = broker.Streams.Find(stream)!.FindPartition(partition)!;
        AppendResult result = target.Append(builder.Finish().Span, new AppendOptions());
        if (result.Error != StreamError.None)
        {
            throw new InvalidOperationException($"{result.Error}: {result.Message}");
        }

        while (target.HighWatermark <= result.LastOffset)
        {
            await Task.Delay(5);
        }
    }

    /// <summary>Commits an offset from outside of the group.</summary>
    public static Task<OffsetCommitResult> CommitAsync(
        this MessageBroker broker, string group, string stream, int partition, long offset) =>
        AskAsync<OffsetCommitResult>(done => broker.Coordinators.Groups.CommitOffsets(
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef(group, -1, "", null),
                Offsets = [new OffsetToCommit(new TopicPartition(stream, partition), offset, -1, null)],
            },
            done));

    /// <summary>Lets one member into a group.</summary>
    public static Task<ConsumerHeartbeatResult> JoinAsync(this MessageBroker broker, string group, string stream) =>
        AskAsync<ConsumerHeartbeatResult>(done => broker.Coordinators.Groups.ConsumerHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = group,
                MemberId = "m1",
                MemberEpoch = 0,
                RebalanceTimeoutMs = 60_000,
                SubscribedTopics = [stream],
                Owned = [],
                Client = new GroupClient("reader", "127.0.0.1"),
            },
            done));

    private static Task<T> AskAsync<T>(Action<Action<T>> ask)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        ask(answer.SetResult);
        return answer.Task;
    }
}
