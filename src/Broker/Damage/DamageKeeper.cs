using System.Text;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Storage;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Broker.Damage;

/// <summary>Puts what is damaged into quarantine, with all that is known of where it comes from. When it cannot be kept
/// (a full disk) that is reported, and the node goes on. Any thread.</summary>
internal sealed class DamageKeeper(QuarantineStore store, ILogger logger)
{
    public QuarantineStore Store => store;

    /// <summary>Keeps a copy.</summary>
    public void Keep(QuarantineOrigin origin, ReadOnlySpan<byte> bytes)
    {
        try
        {
            Tell(store.Keep(origin, bytes));
        }
        catch (StorageException error)
        {
            BrokerLog.NotKept(logger, origin.File, origin.Position, error.Message);
        }
    }

    /// <summary>Moves a file that nobody else refers to; false when it had to stay where it is.</summary>
    public bool TryTake(QuarantineOrigin origin, string path)
    {
        try
        {
            Tell(store.Take(origin, path));
            return true;
        }
        catch (StorageException error)
        {
            BrokerLog.NotKept(logger, origin.File, origin.Position, error.Message);
            return false;
        }
    }

    /// <summary>Keeps the record of a message that leaves its queue because it is damaged, and its large
    /// body.</summary>
    public void KeepMessage(BrokerServices services, Queue queue, in QueueEntry entry, string reason)
    {
        bool inJournal = entry.Has(EntryFlags.InJournal);
        SegmentedLog log = services.LogOf(inJournal);
        byte[] record = log.ReadRaw(entry.Position, RecordFormat.HeaderBytes + entry.RecordBytes);
        QuarantineOrigin origin = new()
        {
            Source = inJournal ? DataLayout.Journal : DataLayout.Spill,
            File = inJournal ? $"{DataLayout.Journal}/{log.FileNameAt(entry.Position)}" : DataLayout.Spill,
            Position = entry.Position,
            Reason = reason,
            Space = queue.Space.Name,
            Address = AddressIn(record) ?? queue.Config.Address,
            Queue = queue.Config.Name,
            MessageId = entry.Id,
        };
        Keep(origin, record);
        long blob = entry.Has(EntryFlags.Large) ? services.Large.BlobOf(entry.Id, inJournal) : 0;
        if (blob != 0)
        {
            KeepBody(services, blob, origin);
        }
    }

    /// <summary>The address in a message record, which may be damaged anywhere; null when it cannot be one.</summary>
    public static string? AddressIn(ReadOnlySpan<byte> record)
    {
        if (record.Length <= RecordFormat.HeaderBytes
            || !MessageRecord.TryRead(record[RecordFormat.HeaderBytes..], out StoredMessage message))
        {
            return null;
        }

        string address = Encoding.UTF8.GetString(message.Address);
        return AddressName.Check(address, "address") is null ? address : null;
    }

    private void KeepBody(BrokerServices services, long blob, QuarantineOrigin origin)
    {
        string path = services.Blobs.FileOf(blob);
        IFileSystem files = services.Options.FileSystem;
        if (!files.Exists(path))
        {
            return;
        }

        QuarantineOrigin body = origin with
        {
            Source = DataLayout.Large,
            File = DataLayout.Large + "/" + Path.GetFileName(path),
            Position = 0,
        };
        if (services.Large.ReferencesTo(blob) <= 1)
        {
            TryTake(body, path);
            return;
        }

        Keep(body, ReadFile(files, path, services.Options.Quarantine.CopiedBytesMax));
    }

    private static byte[] ReadFile(IFileSystem files, string path, int bytesMax)
    {
        try
        {
            using IFile file = files.Open(path, FileOpening.Read);
            byte[] bytes = new byte[(int)Math.Min(file.Length, bytesMax)];
            return bytes[..file.Read(0, bytes)];
        }
        catch (StorageException)
        {
            return [];
        }
    }

    private void Tell(QuarantineEntry entry) => BrokerLog.Kept(
        logger, entry.Id, entry.Bytes, entry.Origin.File, entry.Origin.Position, entry.Origin.Reason);
}
