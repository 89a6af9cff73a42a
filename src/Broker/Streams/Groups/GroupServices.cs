using Pillarbox.Broker.Streams.Groups.Offsets;
using Pillarbox.Model;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>What every part of the group coordinator works with. One owner: the loop.</summary>
internal sealed class GroupServices(
    GroupOptions options, CoordinatorStore store, ITopicView topics, TimeProvider time, IRandom random)
{
    public GroupOptions Options { get; } = options;

    public GroupMemory Memory { get; } = new(options);

    public OffsetMemory OffsetMemory { get; } = new(options);

    public GroupConfigs Configs { get; } = new(options, store);

    public TimerHeap Timers { get; } = new();

    public ITopicView Topics { get; } = topics;

    public CoordinatorStore Store { get; } = store;

    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Writes records of a group; false when they are refused.</summary>
    public bool Write(Group group, IReadOnlyList<CoordinatorRecord> records) =>
        Write(group, ProducerStamp.None, records) == CoordinatorError.None;

    /// <summary>Writes records under a producer's transaction; none, or why they are refused.</summary>
    public CoordinatorError Write(Group group, ProducerStamp producer, IReadOnlyList<CoordinatorRecord> records)
    {
        CoordinatorError refusal = Store.Write(group.Partition, producer, records, out long number);
        Memory.Count(group);
        if (refusal == CoordinatorError.None)
        {
            group.LastWrite = number;
        }

        return refusal;
    }

    /// <summary>Answers as soon as everything that was written of the group is on disk.</summary>
    public void Reply<T>(Group group, Action<T> done, T result)
        where T : ICoordinatorResult<T>
    {
        Memory.Count(group);
        Store.WhenDurable(group.Partition, group.LastWrite, ok =>
            done(ok ? result : T.Of(CoordinatorError.CoordinatorNotAvailable)));
    }

    /// <summary>A new member's name: what the client calls itself, made unlike any other.</summary>
    public string NewMemberId(string prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.Fill(bytes);
        return $"{prefix}-{new Guid(bytes):D}";
    }

    public string NewMemberId()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.Fill(bytes);
        return Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }
}
