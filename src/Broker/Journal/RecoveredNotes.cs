using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Journal;

/// <summary>Annotations of one queue's messages that a commit has written and no record of a message has yet: a crash
/// came between. Start-up only.</summary>
internal sealed class RecoveredNotes
{
    private readonly Dictionary<(byte Priority, long Id), List<ReadOnlyMemory<byte>>> _notes = [];

    public void Add(in AnnotationFields fields)
    {
        if (!_notes.TryGetValue((fields.Priority, fields.MessageId), out List<ReadOnlyMemory<byte>>? notes))
        {
            _notes[(fields.Priority, fields.MessageId)] = notes = [];
        }

        notes.Add(fields.Annotations);
    }

    /// <summary>The message is gone, or has them.</summary>
    public void Forget(long id, byte priority) => _notes.Remove((priority, id));

    /// <summary>Merges them into the messages that are there.</summary>
    public void Merge(Queue queue)
    {
        foreach (((byte priority, long id), List<ReadOnlyMemory<byte>> notes) in _notes)
        {
            long sequence = queue.Contents.ListOf(priority)?.FindId(id) ?? -1;
            foreach (ReadOnlyMemory<byte> annotations in notes)
            {
                queue.MergeRecovered(priority, sequence, annotations);
            }
        }

        _notes.Clear();
    }
}
