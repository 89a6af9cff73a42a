using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// The offsets of a commit, in the order of the request: those that the coordinator never sees, because topic or
/// permission are missing, and the others with its verdicts. A refusal of the whole counts for each.
/// </summary>
internal sealed class OffsetChecks(KafkaSession session, ErrorCode refusal)
{
    private readonly List<short> _errors = [];
    private readonly List<int> _places = [];
    private int _next;

    /// <summary>What the coordinator is asked to keep.</summary>
    public List<OffsetToCommit> Good { get; } = [];

    /// <summary>One more offset of the request.</summary>
    public void Add(string? topic, int partition, long offset, int leaderEpoch, string? metadata)
    {
        ErrorCode error = refusal == ErrorCode.None ? session.CheckPartition(topic, partition) : refusal;
        if (error == ErrorCode.None)
        {
            _places.Add(_errors.Count);
            Good.Add(new OffsetToCommit(new TopicPartition(topic!, partition), offset, leaderEpoch, metadata));
        }

        _errors.Add((short)error);
    }

    /// <summary>The coordinator's verdicts.</summary>
    public void Take(OffsetCommitResult result)
    {
        for (int i = 0; i < _places.Count; i++)
        {
            CoordinatorError error = i < result.Offsets.Count ? result.Offsets[i] : result.Error;
            _errors[_places[i]] = error.Code();
        }
    }

    /// <summary>One error for all.</summary>
    public void Refuse(CoordinatorError error) => Take(OffsetCommitResult.Of(error));

    /// <summary>The error of the next offset, in the order of the request.</summary>
    public short Next() => _errors[_next++];
}
