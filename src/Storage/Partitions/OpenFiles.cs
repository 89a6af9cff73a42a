namespace Pillarbox.Storage.Partitions;

/// <summary>
/// The files of segments that are open: few, for there are many partitions. Opened when needed, closed least recently
/// used
/// first. Any thread.
/// </summary>
internal sealed class OpenFiles(IFileSystem files, int filesMax) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<PartitionSegment> _byUse = new();

    /// <summary>Opens a segment's file, or takes the open one; it stays open until <see cref="Release"/>.</summary>
    public IFile Hold(PartitionSegment segment)
    {
        lock (_gate)
        {
            if (segment.File is null)
            {
                if (segment.IsDeleted)
                {
                    throw new StorageGoneException($"{segment.Path} is deleted");
                }

                segment.File = files.Open(segment.Path, FileOpening.OpenOrCreate);
                segment.OpenNode = _byUse.AddLast(segment);
                CloseUnused();
            }
            else if (segment.OpenNode is { Next: not null } node)
            {
                _byUse.Remove(node);
                _byUse.AddLast(node);
            }

            segment.Uses++;
            return segment.File;
        }
    }

    /// <summary>The file may be closed.</summary>
    public void Release(PartitionSegment segment)
    {
        lock (_gate)
        {
            segment.Uses--;
            if (segment.Uses == 0 && segment.IsDeleted)
            {
                Close(segment);
            }
        }
    }

    /// <summary>Closes a segment's file as soon as nobody uses it.</summary>
    public void Drop(PartitionSegment segment)
    {
        lock (_gate)
        {
            segment.IsDeleted = true;
            if (segment.Uses == 0)
            {
                Close(segment);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            while (_byUse.First is { } first)
            {
                Close(first.Value);
            }
        }
    }

    private void CloseUnused()
    {
        for (LinkedListNode<PartitionSegment>? node = _byUse.First; node is not null && _byUse.Count > filesMax;)
        {
            LinkedListNode<PartitionSegment>? next = node.Next;
            if (node.Value.Uses == 0 && next is not null)
            {
                Close(node.Value);
            }

            node = next;
        }
    }

    private void Close(PartitionSegment segment)
    {
        segment.File?.Dispose();
        segment.File = null;
        if (segment.OpenNode is { } node)
        {
            _byUse.Remove(node);
            segment.OpenNode = null;
        }
    }
}
