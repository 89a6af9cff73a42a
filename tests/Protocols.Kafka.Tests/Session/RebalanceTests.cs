using System.Diagnostics;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>
/// A large group of the new protocol: members that beat as the node tells them, give up what they must at once, and
/// end with an even share each. Prints how long each rebalance took.
/// </summary>
public sealed class RebalanceTests(ITestOutputHelper output)
{
    private const int Members = 50;
    private const int Partitions = 500;

    [Fact]
    public async Task Fifty_members_share_500_partitions_evenly_after_each_change()
    {
        await using var scene = new KafkaScene();
        await scene.Connect().CreateTopicAsync("t", Partitions);
        List<GroupMember> members = [.. Enumerable.Range(0, Members).Select(i => new GroupMember(scene.Connect(), i))];
        await MeasureAsync("50 join at once", members, () => Start(members));

        GroupMember late = new(scene.Connect(), Members);
        members.Add(late);
        await MeasureAsync("the 51st joins", members, () => Start([late]));

        GroupMember first = members[0];
        members.RemoveAt(0);
        await MeasureAsync("one leaves", members, () => first.DisposeAsync().AsTask());

        GroupMember[] half = [.. members.Take(Members / 2)];
        members.RemoveRange(0, half.Length);
        await MeasureAsync("half of them leave", members, () => LeaveAsync(half));
        await LeaveAsync(members);
    }

    private static Task LeaveAsync(IEnumerable<GroupMember> members) =>
        Task.WhenAll(members.Select(m => m.DisposeAsync().AsTask()));

    private async Task MeasureAsync(string what, List<GroupMember> members, Func<Task> change)
    {
        long started = Stopwatch.GetTimestamp();
        await change();
        TimeSpan limit = TimeSpan.FromSeconds(60);
        while (!IsEven(members))
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < limit, $"{what}: the group does not come to rest");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F0} ms");
    }

    // Each partition is with one member, and nobody has more than one more than another.
    private static bool IsEven(List<GroupMember> members)
    {
        int[][] owned = [.. members.Select(m => m.Owned)];
        int[] sizes = [.. owned.Select(o => o.Length)];
        return sizes.Sum() == Partitions && owned.SelectMany(o => o).Distinct().Count() == Partitions
            && sizes.Max() - sizes.Min() <= 1;
    }

    private static Task Start(IReadOnlyList<GroupMember> members)
    {
        foreach (GroupMember member in members)
        {
            member.Start();
        }

        return Task.CompletedTask;
    }

    private sealed class GroupMember(KafkaPeer peer, int number) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private volatile int[] _owned = [];
        private Guid _topic;
        private Task _running = Task.CompletedTask;
        private int _epoch;

        public int[] Owned => _owned;

        public void Start() => _running = RunAsync();

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            await BeatAsync(-1, null);
            _stop.Dispose();
        }

        private async Task RunAsync()
        {
            ConsumerGroupHeartbeatResponse answer = await BeatAsync(0, []);
            while (!_stop.IsCancellationRequested)
            {
                _epoch = answer.MemberEpoch;
                if (answer.Assignment is { } assignment)
                {
                    // What it has changed it says at once, as clients do.
                    _topic = assignment.TopicPartitions.FirstOrDefault()?.TopicId ?? _topic;
                    _owned = [.. assignment.TopicPartitions.SelectMany(t => t.Partitions)];
                    answer = await BeatAsync(_epoch, _owned);
                    continue;
                }

                try
                {
                    await Task.Delay(answer.HeartbeatIntervalMs, _stop.Token);
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                answer = await BeatAsync(_epoch, null);
            }
        }

        private async Task<ConsumerGroupHeartbeatResponse> BeatAsync(int epoch, int[]? owned)
        {
            ConsumerGroupHeartbeatResponse answer =
                await peer.AskAsync<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
                    new()
                    {
                        GroupId = "g",
                        MemberId = $"member-{number}",
                        MemberEpoch = epoch,
                        RebalanceTimeoutMs = epoch == 0 ? 60_000 : -1,
                        SubscribedTopicNames = epoch == 0 ? ["t"] : null,
                        TopicPartitions = owned is null ? null
                            : owned.Length == 0 ? [] : [new() { TopicId = _topic, Partitions = owned }],
                    },
                    1);
            Assert.Equal((0, null), (answer.ErrorCode, answer.ErrorMessage));
            return answer;
        }
    }
}
