using Microsoft.Extensions.Logging;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>Collects what was found when the partitions were opened. Start-up only.</summary>
internal sealed class StreamRecovery
{
    private readonly List<(string Stream, int Partition, PartitionReport Report)> _remarkable = [];
    private int _partitions;
    private long _batches;
    private long _tornBytes;

    public void Add(string stream, int partition, PartitionReport report)
    {
        _partitions++;
        _batches += report.Batches;
        _tornBytes += report.TornBytes;
        if (report.Damages.Count > 0 || report.SetAside.Count > 0)
        {
            _remarkable.Add((stream, partition, report));
        }
    }

    public void Log(ILogger logger, int streams)
    {
        foreach ((string stream, int partition, PartitionReport report) in _remarkable)
        {
            foreach (string damage in report.Damages)
            {
                StreamLog.Damaged(logger, stream, partition, damage);
            }

            foreach (string file in report.SetAside)
            {
                StreamLog.FileSetAside(logger, file);
            }
        }

        if (streams > 0)
        {
            StreamLog.Recovered(logger, _partitions, streams, _batches, _tornBytes);
        }
    }
}
