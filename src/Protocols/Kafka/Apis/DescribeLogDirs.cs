using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeLogDirsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeLogDirs: how large the partitions are on disk. There is one directory, the node's data.</summary>
internal static class DescribeLogDirsApi
{
    public static ValueTask<DescribeLogDirsResponse?> HandleAsync(ApiCall call, DescribeLogDirsRequest request)
    {
        if (!call.Session.MayOnCluster(Permission.View))
        {
            return new(new DescribeLogDirsResponse { ErrorCode = (short)ErrorCode.ClusterAuthorizationFailed });
        }

        Dictionary<string, int[]>? wanted = request.Topics?.GroupBy(t => t.Topic, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.SelectMany(t => t.Partitions).ToArray(), StringComparer.Ordinal);
        return new(new DescribeLogDirsResponse
        {
            Results =
            [
                new()
                {
                    LogDir = call.Session.Environment.Options.DataDirectory,
                    Topics =
                    [
                        .. call.Session.Streams.All.Where(s => wanted is null || wanted.ContainsKey(s.Name))
                            .OrderBy(s => s.Name, StringComparer.Ordinal)
                            .Select(s => Describe(s, wanted?.GetValueOrDefault(s.Name))),
                    ],
                },
            ],
        });
    }

    private static DescribeLogDirsTopic Describe(RecordStream stream, int[]? wanted) => new()
    {
        Name = stream.Name,
        Partitions =
        [
            .. stream.Partitions.Where(p => wanted is null || wanted.Contains(p.Number))
                .Select(p => new DescribeLogDirsPartition { PartitionIndex = p.Number, PartitionSize = p.SizeBytes }),
        ],
    };
}
