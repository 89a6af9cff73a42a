using System.Runtime.CompilerServices;

namespace Pillarbox.Broker.Streams;

/// <summary>A batch that a producer has appended, as much as is needed to know it again.</summary>
internal readonly record struct BatchNote(int FirstSequence, int LastSequence, long FirstOffset, long LastOffset);

/// <summary>What a partition remembers of one producer. Under the partition's lock.</summary>
internal sealed class ProducerState(long producerId)
{
    /// <summary>So many batches may be under way at once, and come again.</summary>
    public const int BatchesMax = 5;

    // No batch has it.
    private const int NoSequence = -1;

    private Notes _notes;
    private int _first;

    public long ProducerId { get; } = producerId;

    /// <summary>The producer's epoch; -1 before its first batch.</summary>
    public short Epoch { get; private set; } = -1;

    /// <summary>Epoch of the coordinator that ended its last transaction; -1 when none did.</summary>
    public int CoordinatorEpoch { get; set; } = -1;

    /// <summary>The largest timestamp of its last batch, in milliseconds since the Unix epoch; the producer's own
    /// word.</summary>
    public long LastTimestampMs { get; set; } = -1;

    /// <summary>When it last wrote, or the node began, in milliseconds since the Unix epoch, by the node's
    /// clock.</summary>
    public long LastSeenMs { get; set; } = -1;

    /// <summary>First offset of its open transaction; -1 when none is open.</summary>
    public long TransactionStart { get; set; } = -1;

    /// <summary>When that began, in milliseconds since the Unix epoch.</summary>
    public long TransactionStartMs { get; set; } = -1;

    /// <summary>How many batches are remembered.</summary>
    public int BatchCount { get; private set; }

    /// <summary>Sequence of its last record; -1 when none is known.</summary>
    public int LastSequence => BatchCount == 0 ? -1 : BatchAt(BatchCount - 1).LastSequence;

    public long LastOffset => BatchCount == 0 ? -1 : BatchAt(BatchCount - 1).LastOffset;

    /// <summary>A remembered batch, oldest first.</summary>
    public BatchNote BatchAt(int index) => _notes[(_first + index) % BatchesMax];

    /// <summary>With a new epoch everything about sequences begins anew.</summary>
    public void SetEpoch(short epoch)
    {
        if (epoch != Epoch)
        {
            Epoch = epoch;
            BatchCount = 0;
            _first = 0;
        }
    }

    public void Note(in BatchNote batch)
    {
        if (BatchCount == BatchesMax)
        {
            _first = (_first + 1) % BatchesMax;
            BatchCount--;
        }

        _notes[(_first + BatchCount) % BatchesMax] = batch;
        BatchCount++;
    }

    /// <summary>A transaction has ended: none of its batches comes again, but a producer that has given up one it knew
    /// nothing of may number the next one the same. That is no repetition, and must not be answered as one: of the
    /// batches only the sequence stays.</summary>
    public void EndBatches()
    {
        if (BatchCount > 0)
        {
            BatchNote last = BatchAt(BatchCount - 1);
            (_first, BatchCount) = (0, 0);
            Note(last with { FirstSequence = NoSequence });
        }
    }

    /// <summary>Whether exactly this batch was appended before.</summary>
    public bool TryFind(short epoch, int firstSequence, int lastSequence, out BatchNote found)
    {
        for (int i = 0; i < BatchCount && epoch == Epoch; i++)
        {
            found = BatchAt(i);
            if (found.FirstSequence == firstSequence && found.LastSequence == lastSequence)
            {
                return true;
            }
        }

        found = default;
        return false;
    }

    [InlineArray(BatchesMax)]
    private struct Notes
    {
        private BatchNote _note;
    }
}
