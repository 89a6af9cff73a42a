using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Damage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>Collects what was found when the partitions were opened. Start-up only.</summary>
internal sealed class StreamRecovery
{
    private readonly List<(string Space, string Stream, int Partition, PartitionReport Report)> _remarkable = [];
    private string _space = "";
    private int _partitions;
    private long _batches;
    private long _tornBytes;

    /// <summary>The partitions that follow are of this address space.</summary>
    public void Enter(string space) => _space = space;

    public void Add(string stream, int partition, PartitionReport report)
    {
        _partitions++;
        _batches += report.Batches;
        _tornBytes += report.TornBytes;
        if (report.Damages.Count > 0 || report.SetAside.Count > 0)
        {
            _remarkable.Add((_space, stream, partition, report));
        }
    }

    public void Log(ILogger logger, int streams, StartDamage damages)
    {
        foreach ((string space, string stream, int partition, PartitionReport report) in _remarkable)
        {
            foreach (string damage in report.Damages)
            {
                StreamLog.Damaged(logger, stream, partition, damage);
            }

            foreach (SetAsideFile file in report.SetAside)
            {
                StreamLog.FileSetAside(logger, file.Path);
            }

            damages.Take(space, stream, partition, report);
        }

        if (streams > 0)
        {
            StreamLog.Recovered(logger, _partitions, streams, _batches, _tornBytes);
        }
    }
}
