namespace Pillarbox.Broker.Streams;

/// <summary>A transaction that was aborted.</summary>
internal readonly record struct AbortedNote(long ProducerId, long FirstOffset, long MarkerOffset);

/// <summary>
/// The transactions of a partition: which are open, which were aborted, and below which offset all is decided. Under
/// the
/// partition's lock, except <see cref="FirstUndecided"/>.
/// </summary>
internal sealed class TransactionIndex
{
    private readonly SortedSet<(long FirstOffset, long ProducerId)> _open = [];
    private readonly List<(long FirstOffset, long MarkerOffset)> _ending = [];
    private readonly List<AbortedNote> _aborted = [];
    private long _firstUndecided = -1;

    /// <summary>First offset of the oldest transaction that is open, or whose marker is not durable; -1 when there is
    /// none. Any thread.</summary>
    public long FirstUndecided => Volatile.Read(ref _firstUndecided);

    public int OpenCount => _open.Count;

    public IReadOnlyList<AbortedNote> Aborted => _aborted;

    /// <summary>A transaction begins at an offset. Before anybody can read it.</summary>
    public void Begin(ProducerState producer, long offset, long nowMs)
    {
        if (producer.TransactionStart < 0)
        {
            producer.TransactionStart = offset;
            producer.TransactionStartMs = nowMs;
            _open.Add((offset, producer.ProducerId));
            Refresh();
        }
    }

    /// <summary>Takes back <see cref="Begin"/> of the same offset.</summary>
    public void Undo(ProducerState producer, long offset)
    {
        if (producer.TransactionStart == offset)
        {
            Remove(producer);
            Refresh();
        }
    }

    /// <summary>The marker of a producer's transaction stands at an offset.</summary>
    public void End(ProducerState producer, bool isCommit, long markerOffset)
    {
        long first = producer.TransactionStart;
        if (first < 0)
        {
            return;
        }

        if (!isCommit)
        {
            _aborted.Add(new AbortedNote(producer.ProducerId, first, markerOffset));
        }

        _ending.Add((first, markerOffset));
        Remove(producer);
        Refresh();
    }

    /// <summary>Everything below an offset is durable, markers included.</summary>
    public void NoteDurable(long offset)
    {
        if (_ending.Count > 0)
        {
            _ending.RemoveAll(ending => ending.MarkerOffset < offset);
            Refresh();
        }
    }

    /// <summary>Aborted transactions with records in a range of offsets, by first offset.</summary>
    public void FindAborted(long from, long to, List<AbortedTransaction> into)
    {
        for (int i = FirstEndingAt(from); i < _aborted.Count; i++)
        {
            AbortedNote note = _aborted[i];
            if (note.FirstOffset < to)
            {
                into.Add(new AbortedTransaction(note.ProducerId, note.FirstOffset));
            }
        }

        into.Sort(static (a, b) => a.FirstOffset.CompareTo(b.FirstOffset));
    }

    /// <summary>Forgets aborted transactions that lie wholly below an offset.</summary>
    public void ForgetBelow(long offset) => _aborted.RemoveRange(0, FirstEndingAt(offset));

    public void AddAborted(in AbortedNote note) => _aborted.Add(note);

    /// <summary>Whether a producer's record at an offset belongs to a transaction that was aborted.</summary>
    public bool IsAborted(long producerId, long offset)
    {
        for (int i = FirstEndingAt(offset); i < _aborted.Count; i++)
        {
            if (_aborted[i].ProducerId == producerId && _aborted[i].FirstOffset <= offset)
            {
                return true;
            }
        }

        return false;
    }

    private int FirstEndingAt(long offset)
    {
        int low = 0;
        int high = _aborted.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _aborted[middle].MarkerOffset < offset ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private void Remove(ProducerState producer)
    {
        _open.Remove((producer.TransactionStart, producer.ProducerId));
        producer.TransactionStart = -1;
        producer.TransactionStartMs = -1;
    }

    private void Refresh()
    {
        long first = _open.Count == 0 ? -1 : _open.Min.FirstOffset;
        foreach ((long offset, _) in _ending)
        {
            first = first < 0 ? offset : Math.Min(first, offset);
        }

        Volatile.Write(ref _firstUndecided, first);
    }
}
