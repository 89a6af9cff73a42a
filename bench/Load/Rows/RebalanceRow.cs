using System.Diagnostics;
using System.Globalization;
using Pillarbox.Load.Groups;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>How long a group of the consumer protocol takes to share its partitions anew.</summary>
internal sealed class RebalanceRow : ILoadRow
{
    private const int Members = 50;
    private const int Partitions = 500;
    private const double SecondsMax = 60;
    private int _runs;

    public string Name => "rebalance-50-500";

    public string Description => "a group of 50 members over 500 partitions, by the consumer protocol (KIP-848): all "
        + "join at once, one leaves, one joins; until every partition has one owner and nobody has too many";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
    [
        Goal.AtMost("all join within 2 s", "allJoinMs", 2000),
        Goal.AtMost("one leaves: shared within 2 s", "oneLeavesMs", 2000),
        Goal.AtMost("one joins: shared within 2 s", "oneJoinsMs", 2000),
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        var node = (PillarboxPeer)peer;
        string topic = $"load-{Name}-{_runs++}";
        await Processes.RunAsync(
            options.Program, "stream", "create", topic, "--partitions",
            Partitions.ToString(CultureInfo.InvariantCulture), "--url", node.HttpUrl);
        int port = int.Parse(node.KafkaServers.Split(':')[1], CultureInfo.InvariantCulture);
        List<GroupMember> members = [];
        List<Task> running = [];
        GroupMember Add()
        {
            GroupMember member = new(port, topic, topic);
            members.Add(member);
            running.Add(member.RunAsync());
            return member;
        }

        try
        {
            Dictionary<string, double> figures = [];
            figures["allJoinMs"] = await UntilSharedAsync(
                members, running, () => Enumerable.Range(0, Members).ToList().ForEach(_ => Add()));
            GroupMember leaving = members[0];
            figures["oneLeavesMs"] = await UntilSharedAsync(members, running, () =>
            {
                members.RemoveAt(0);
                leaving.Leave();
            });
            figures["oneJoinsMs"] = await UntilSharedAsync(members, running, () => Add());
            figures[Figure.ResidentMiB] = Processes.ResidentMiB(peer.Pid);
            members.ForEach(member => member.Leave());
            await Task.WhenAll(running);
            leaving.Dispose();
            return figures;
        }
        finally
        {
            members.ForEach(member => member.Dispose());
        }
    }

    private static async Task<double> UntilSharedAsync(List<GroupMember> members, List<Task> running, Action change)
    {
        long start = Stopwatch.GetTimestamp();
        change();
        while (!IsShared(members))
        {
            await Task.Delay(2);
            if (running.Find(task => task.IsFaulted) is { } failed)
            {
                await failed;
            }

            if (Stopwatch.GetElapsedTime(start).TotalSeconds > SecondsMax)
            {
                throw new InvalidOperationException("the group does not come to rest");
            }
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static bool IsShared(List<GroupMember> members)
    {
        int most = (Partitions + members.Count - 1) / members.Count;
        IReadOnlyList<int>[] owned = [.. members.Select(member => member.Owned)];
        return owned.All(one => one.Count <= most) && owned.Sum(one => one.Count) == Partitions
            && owned.SelectMany(one => one).Distinct().Count() == Partitions;
    }
}
