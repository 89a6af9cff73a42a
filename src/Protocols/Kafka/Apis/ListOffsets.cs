using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ListOffsets: the first offset at or after a time, or one of the special ones (-1 latest, -2 earliest...).
/// </summary>
internal static class ListOffsetsApi
{
    public static ValueTask<ListOffsetsResponse?> HandleAsync(ApiCall call, ListOffsetsRequest request)
    {
        (string Topic, int Partition)[] wanted =
            [.. request.Topics.SelectMany(topic => topic.Partitions.Select(p => (topic.Name, p.PartitionIndex)))];
        HashSet<(string Topic, int Partition)> twice = wanted.Twice(one => one);
        return new(new ListOffsetsResponse
        {
            Topics = Array.ConvertAll(request.Topics, topic => Topic(call, request, topic, twice)),
        });
    }

    private static ListOffsetsResponse.ListOffsetsTopicResponse Topic(
        ApiCall call, ListOffsetsRequest request, ListOffsetsRequest.ListOffsetsTopic topic,
        HashSet<(string Topic, int Partition)> twice)
    {
        ErrorCode error = call.Session.FindSeen(topic.Name, out RecordStream? stream);
        var isolation = request.IsolationLevel == 1 ? Isolation.Committed : Isolation.Uncommitted;
        return new()
        {
            Name = topic.Name,
            Partitions = Array.ConvertAll(topic.Partitions, wanted =>
                twice.Contains((topic.Name, wanted.PartitionIndex)) ? Refuse(wanted, ErrorCode.InvalidRequest)
                : stream?.FindPartition(wanted.PartitionIndex) is { } partition
                    ? Partition(call, partition, wanted, isolation)
                    : Refuse(wanted, error == ErrorCode.None ? ErrorCode.UnknownTopicOrPartition : error)),
        };
    }

    private static ListOffsetsResponse.ListOffsetsPartitionResponse Partition(
        ApiCall call, Partition partition, ListOffsetsRequest.ListOffsetsPartition wanted, Isolation isolation)
    {
        OffsetResult found = partition.ListOffset(wanted.Timestamp, isolation, wanted.CurrentLeaderEpoch);
        if (found.Error != StreamError.None)
        {
            return Refuse(wanted, ErrorCodes.Of(found.Error));
        }

        return new()
        {
            PartitionIndex = wanted.PartitionIndex,
            Timestamp = found.TimestampMs,
            Offset = found.Offset,
            LeaderEpoch = found.LeaderEpoch,
            OldStyleOffsets = call.Version == 0 ? OldStyle(partition, found.Offset, wanted) : [],
        };
    }

    // Version 0 asks for offsets to start from that are not after a time, latest first.
    private static long[] OldStyle(
        Partition partition, long offset, ListOffsetsRequest.ListOffsetsPartition wanted)
    {
        long earliest = partition.StartOffset;
        long[] all = offset > earliest ? [offset, earliest] : [earliest];
        return all[..Math.Clamp(wanted.MaxNumOffsets, 0, all.Length)];
    }

    private static ListOffsetsResponse.ListOffsetsPartitionResponse Refuse(
        ListOffsetsRequest.ListOffsetsPartition wanted, ErrorCode error) =>
        new() { PartitionIndex = wanted.PartitionIndex, ErrorCode = (short)error };
}
