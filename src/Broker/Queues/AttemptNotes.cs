using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;

namespace Pillarbox.Broker.Queues;

/// <summary>Failed attempts of a queue's messages, for dead letters. Bounded: the first attempts of the first messages
/// are kept. The shard's.</summary>
internal sealed class AttemptNotes
{
    /// <summary>Messages of one queue that attempts are kept of.</summary>
    private const int MessagesMax = 10_000;

    private readonly Dictionary<(long Id, bool InJournal), List<FailedAttempt>> _notes = [];

    public bool IsEmpty => _notes.Count == 0;

    public void Add(in QueueEntry entry, FailedAttempt attempt) =>
        Add(entry.Id, entry.Has(EntryFlags.InJournal), attempt);

    public void Add(long id, bool inJournal, FailedAttempt attempt)
    {
        if (!_notes.TryGetValue((id, inJournal), out List<FailedAttempt>? attempts))
        {
            if (_notes.Count >= MessagesMax)
            {
                return;
            }

            _notes[(id, inJournal)] = attempts = [];
        }

        if (attempts.Count == OriginField.AttemptsMax)
        {
            attempts.RemoveAt(0);
        }

        attempts.Add(attempt);
    }

    public IReadOnlyList<FailedAttempt> Of(in QueueEntry entry) =>
        _notes.TryGetValue((entry.Id, entry.Has(EntryFlags.InJournal)), out List<FailedAttempt>? found) ? found : [];

    public void Remove(in QueueEntry entry) => _notes.Remove((entry.Id, entry.Has(EntryFlags.InJournal)));
}

/// <summary>Who uses a queue. Changed under its address space's lock only.</summary>
internal sealed class QueueAdmission
{
    public int Consumers { get; set; }

    public bool HasExclusive { get; set; }

    /// <summary>The queue is deleted with its messages when nobody has used it for so long once <see
    /// cref="ExpirySinceMs"/> is set; -1: never. Journaled for durable queues.</summary>
    public long ExpiryTimeoutMs { get; set; } = -1;

    /// <summary>When that time began, in milliseconds since the Unix epoch; 0: it does not run.</summary>
    public long ExpirySinceMs { get; set; }

    /// <summary>When the last consumer left, in milliseconds since the Unix epoch; 0: never had one, or has
    /// one.</summary>
    public long UnusedSinceMs { get; set; }
}
