using Pillarbox.Broker.Streams;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Broker.Damage;

/// <summary>Puts into quarantine what a start has found: stretches of the journal, and the files that were set aside as
/// *.damaged, by this start or an earlier one that did not come so far. Start-up only.</summary>
internal sealed class StartDamage(DamageKeeper keeper, IFileSystem files, string root)
{
    private const string DamagedSuffix = ".damaged";
    private const string Earlier = "set aside by an earlier start";
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal);

    /// <summary>A stretch of the journal that was durable and cannot be read.</summary>
    public void Keep(SegmentedLog journal, LogDamage damage)
    {
        const int CopyMax = 64 << 20;
        byte[] bytes = journal.ReadRaw(damage.Position, (int)Math.Min(damage.Length, CopyMax));
        if (bytes.Length == 0)
        {
            return;
        }

        keeper.Keep(
            new QuarantineOrigin
            {
                Source = DataLayout.Journal,
                File = DataLayout.Journal + "/" + damage.Segment,
                Position = damage.Position,
                Reason = damage.Reason,
                Address = DamageKeeper.AddressIn(bytes),
            },
            bytes);
    }

    /// <summary>A large body that no message refers to; false when it had to stay.</summary>
    public bool TakeBody(string path) => keeper.TryTake(
        new QuarantineOrigin
        {
            Source = DataLayout.Large,
            File = DataLayout.Large + "/" + Path.GetFileName(path),
            Reason = "no message refers to it, and the journal is damaged",
        },
        path);

    /// <summary>Remembers why a file was set aside, for its note.</summary>
    public void Note(string folder, string file, string reason) => _reasons[$"{folder}/{file}"] = reason;

    /// <summary>What recovery of a partition has set aside.</summary>
    public void Take(string space, string stream, int partition, PartitionReport report)
    {
        foreach (SetAsideFile file in report.SetAside)
        {
            if (file.Path.EndsWith(DamagedSuffix, StringComparison.Ordinal))
            {
                string folder = Path.GetFileName(Path.GetDirectoryName(file.Path)!);
                keeper.TryTake(
                    new QuarantineOrigin
                    {
                        Source = "stream",
                        File = $"{DataLayout.Streams}/{folder}/{file.Segment}",
                        Position = file.Position,
                        Reason = file.Reason,
                        Space = space,
                        Stream = stream,
                        Partition = partition,
                    },
                    file.Path);
            }
        }
    }

    /// <summary>Moves all files that are still set aside.</summary>
    public void TakeFiles(IEnumerable<StreamCatalog> catalogs)
    {
        TakeFiles(DataLayout.Journal, DataLayout.Journal);
        TakeFiles(DataLayout.Snapshots, "snapshot");
        foreach (string folder in files.ListDirectories($"{root}/{DataLayout.Streams}"))
        {
            string path = $"{DataLayout.Streams}/{folder}";
            TakeFiles(path, path == DataLayout.Checkpoints ? "checkpoint" : "stream", origin =>
                Guid.TryParseExact(folder, "N", out Guid id)
                    ? OfStream(origin, catalogs.FirstOrDefault(catalog => catalog.Find(id) is not null), id)
                    : origin);
        }
    }

    private static QuarantineOrigin OfStream(QuarantineOrigin origin, StreamCatalog? catalog, Guid id)
    {
        string name = Path.GetFileName(origin.File);
        _ = int.TryParse(name.AsSpan(0, Math.Max(0, name.IndexOf('.', StringComparison.Ordinal))), out int number);
        return origin with
        {
            Space = catalog?.AddressSpace,
            Stream = catalog?.Find(id)?.Name,
            Partition = number,
        };
    }

    private void TakeFiles(string folder, string source, Func<QuarantineOrigin, QuarantineOrigin>? complete = null)
    {
        foreach (string name in files.List($"{root}/{folder}", DamagedSuffix))
        {
            string original = name[..^DamagedSuffix.Length];
            QuarantineOrigin origin = new()
            {
                Source = source,
                File = $"{folder}/{original}",
                Reason = _reasons.GetValueOrDefault($"{folder}/{original}", Earlier),
            };
            keeper.TryTake(complete is null ? origin : complete(origin), $"{root}/{folder}/{name}");
        }
    }
}
