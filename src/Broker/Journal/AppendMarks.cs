using System.Collections.Concurrent;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// Says up to where the journal is reflected in the shards. Whoever appends messages sets its mark before the append
/// and clears
/// it when the shards have been told, so a snapshot knows below which position nothing is still on its way.
/// </summary>
internal sealed class AppendMarks
{
    private readonly ConcurrentDictionary<AppendMark, bool> _marks = new();

    public AppendMark Add()
    {
        AppendMark mark = new();
        _marks[mark] = true;
        return mark;
    }

    public void Remove(AppendMark mark) => _marks.TryRemove(mark, out _);

    /// <summary>The highest position below which everything is reflected. <paramref name="tail"/> must have been read
    /// before.</summary>
    public long Lowest(long tail)
    {
        Interlocked.MemoryBarrier();
        foreach (AppendMark mark in _marks.Keys)
        {
            tail = Math.Min(tail, mark.Position);
        }

        return tail;
    }
}

/// <summary>One appender's mark. One owner writes.</summary>
internal sealed class AppendMark
{
    private long _position = long.MaxValue;

    public long Position => Volatile.Read(ref _position);

    /// <summary>Before an append: nothing at or above <paramref name="tail"/> is reflected yet.</summary>
    public void Set(long tail) => Interlocked.Exchange(ref _position, Math.Min(_position, tail));

    /// <summary>The shards know everything below <paramref name="position"/>; by default all.</summary>
    public void MoveTo(long position = long.MaxValue) => Volatile.Write(ref _position, position);
}
