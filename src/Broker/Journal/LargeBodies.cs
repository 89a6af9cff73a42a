using System.Collections.Concurrent;

namespace Pillarbox.Broker.Journal;

/// <summary>Which message's body is in which file, and how many queues still hold it. Any thread.</summary>
internal sealed class LargeBodies
{
    private readonly ConcurrentDictionary<(long Id, bool InJournal), long> _blobs = new();
    private readonly ConcurrentDictionary<long, int> _references = new();
    private readonly ConcurrentDictionary<long, ConcurrentQueue<(long Id, bool InJournal)>> _messages = new();

    /// <summary>Files that something refers to.</summary>
    public ICollection<long> Blobs => _references.Keys;

    public void Add(long id, bool inJournal, long blobId, int references)
    {
        Name(id, inJournal, blobId);
        _references.AddOrUpdate(blobId, references, (_, held) => held + references);
    }

    /// <summary>Recovery met a large message: its file, without references yet.</summary>
    public void Note(long id, long blobId) => Name(id, inJournal: true, blobId);

    /// <summary>Recovery counts an entry that is left.</summary>
    public void Count(in Queues.QueueEntry entry)
    {
        if (entry.Has(Queues.EntryFlags.Large) && BlobOf(entry.Id, inJournal: true) is var blobId && blobId != 0)
        {
            Add(entry.Id, inJournal: true, blobId, 1);
        }
    }

    /// <summary>Entries of queues that refer to a file.</summary>
    public int ReferencesTo(long blobId) => _references.GetValueOrDefault(blobId);

    public long BlobOf(long id, bool inJournal) => _blobs.GetValueOrDefault((id, inJournal));

    /// <summary>One queue no longer holds a file; true when nobody does and it is to be deleted.</summary>
    public bool Release(long blobId)
    {
        int left = _references.AddOrUpdate(blobId, 0, (_, held) => held - 1);
        if (left > 0)
        {
            return false;
        }

        _references.TryRemove(blobId, out _);
        if (_messages.TryRemove(blobId, out ConcurrentQueue<(long Id, bool InJournal)>? messages))
        {
            foreach ((long Id, bool InJournal) message in messages)
            {
                _blobs.TryRemove(KeyValuePair.Create(message, blobId));
            }
        }

        return true;
    }

    private void Name(long id, bool inJournal, long blobId)
    {
        if (_blobs.TryAdd((id, inJournal), blobId))
        {
            _messages.GetOrAdd(blobId, static _ => new()).Enqueue((id, inJournal));
        }
    }
}
