using System.Runtime.CompilerServices;

namespace Pillarbox.Broker.Queues;

/// <content>Messages whose bytes are damaged.</content>
internal sealed partial class Queue
{
    /// <summary>A message that is waiting turned out to be damaged.</summary>
    public void QuarantineReady(byte priority, long sequence, string reason)
    {
        ref QueueEntry entry = ref Find(priority, sequence);
        if (!Unsafe.IsNullRef(ref entry) && entry.State == EntryState.Ready)
        {
            Quarantine(ref entry, priority, sequence, reason);
        }
    }

    private void Quarantine(ref QueueEntry entry, byte priority, long sequence, string reason)
    {
        if (!entry.IsRecord)
        {
            Services.Damage.KeepMessage(Services, this, entry, reason);
        }

        if (!entry.IsRecord || !Feed!.IsLost(entry.Id))
        {
            Services.CountDamage();
            BrokerLog.Quarantined(Services.Logger, Config.Name, entry.Id, entry.Position, reason);
        }

        Remove(ref entry, priority, sequence, journal: true);
    }
}
