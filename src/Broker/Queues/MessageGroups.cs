using System.Runtime.CompilerServices;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues;

/// <summary>
/// Which consumer has which group of messages: the one that got its first message gets the others too, until it leaves
/// or the group's last message is given to it. What lies ready for a consumer that has no credit now is parked with
/// that consumer, so that others look past it once and not again. The shard's.
/// </summary>
internal sealed class MessageGroups(Queue queue, EntryPicker picker)
{
    /// <summary>Groups that are remembered beyond those with a message under way. With more, groups of which no
    /// message is under way are forgotten: their next message may go to another consumer.</summary>
    public const int RememberedMax = 65_536;

    private readonly Dictionary<uint, Consumer> _owners = [];
    private int _sweepAt = RememberedMax;

    /// <summary>Groups that have a consumer.</summary>
    public int Count => _owners.Count;

    /// <summary>Whether a consumer may have a message of a group.</summary>
    public bool MayTake(MessageGroup group, Consumer consumer) =>
        group.IsNone || consumer.Browses || OwnerOf(group) is not { } owner || owner == consumer;

    /// <summary>The consumer that has a group; null: nobody yet.</summary>
    public Consumer? OwnerOf(MessageGroup group) => _owners.GetValueOrDefault(group.Key);

    /// <summary>A message of a group goes to a consumer that may have it; true: it is the first one that this consumer
    /// gets of it.</summary>
    public bool Claim(MessageGroup group, Consumer consumer)
    {
        bool isFirst = _owners.TryAdd(group.Key, consumer);
        if (group.IsLast)
        {
            _owners.Remove(group.Key);
            Unpark(consumer);
        }
        else if (isFirst && _owners.Count > _sweepAt)
        {
            ForgetIdle();
        }

        return isFirst;
    }

    /// <summary>A ready message waits for the consumer that has its group.</summary>
    public static void Park(Consumer owner, byte priority, long sequence)
    {
        if (owner.Filter is null)
        {
            (owner.Parked ??= new ParkedEntries()).Add(priority, sequence);
        }
        else
        {
            // It finds the message with its own cursor; should it leave, the others look again.
            (owner.Parked ??= new ParkedEntries()).LookAgainAt(priority, sequence);
        }
    }

    /// <summary>Another consumer's message was looked past by one that chooses with a cursor of its own.</summary>
    public static void PassOver(Consumer chooser, byte priority, long sequence) =>
        (chooser.PassedOver ??= new ParkedEntries()).LookAgainAt(priority, sequence);

    /// <summary>The first message that is parked with a consumer and still ready, or -1.</summary>
    public static long PeekParked(Consumer consumer, EntryList list, byte priority)
    {
        while (consumer.Parked is { } parked && parked.TryPeek(priority, out long sequence))
        {
            ref QueueEntry entry = ref list.Find(sequence);
            if (!Unsafe.IsNullRef(ref entry) && entry.State == EntryState.Ready)
            {
                return sequence;
            }

            parked.Take(priority);
        }

        return -1;
    }

    /// <summary>A consumer has gone: its groups are anybody's.</summary>
    public void Leave(Consumer consumer)
    {
        foreach ((uint group, Consumer owner) in _owners)
        {
            if (owner == consumer)
            {
                _owners.Remove(group);
            }
        }

        Unpark(consumer);
    }

    // What waited for the consumer is there for all again.
    private void Unpark(Consumer consumer)
    {
        consumer.Parked?.GiveBack(queue.Contents, picker.Return, picker.Rewind);
        consumer.Parked = null;
        foreach (Consumer chooser in queue.Consumers.Choosers)
        {
            chooser.PassedOver?.GiveBack(queue.Contents, chooser.Filter!.Return, chooser.Filter!.Rewind);
            chooser.PassedOver = null;
        }
    }

    private void ForgetIdle()
    {
        HashSet<uint> used = [];
        foreach (Consumer consumer in queue.Consumers.All)
        {
            for (int i = 0; i < consumer.Held.Count; i++)
            {
                HeldDelivery held = consumer.Held[i];
                if (queue.Holds(held, consumer.Number))
                {
                    used.Add(queue.Contents.GroupOf(held.Priority, held.Sequence).Key);
                }
            }
        }

        foreach ((uint group, _) in _owners)
        {
            if (!used.Contains(group))
            {
                _owners.Remove(group);
            }
        }

        foreach (Consumer consumer in queue.Consumers.All.ToArray())
        {
            Unpark(consumer);
        }

        _sweepAt = Math.Max(RememberedMax, _owners.Count * 2);
    }
}

/// <summary>Places of one consumer that cursors have passed: by priority, the lowest sequence first. The
/// shard's.</summary>
internal sealed class ParkedEntries
{
    private readonly PriorityQueue<long, long>?[] _parked = new PriorityQueue<long, long>?[Queue.Priorities];
    private readonly long[] _lookAgain = NewPlaces();

    public void Add(byte priority, long sequence) =>
        (_parked[priority] ??= new PriorityQueue<long, long>()).Enqueue(sequence, sequence);

    /// <summary>Only from where on something was passed is kept.</summary>
    public void LookAgainAt(byte priority, long sequence) =>
        _lookAgain[priority] = Math.Min(_lookAgain[priority], sequence);

    public bool TryPeek(byte priority, out long sequence)
    {
        sequence = -1;
        return _parked[priority]?.TryPeek(out sequence, out _) == true;
    }

    public void Take(byte priority) => _parked[priority]!.Dequeue();

    /// <summary>Hands every place to a cursor again.</summary>
    public void GiveBack(
        QueueContents contents, Action<EntryList, byte, long> giveBack, Action<byte, long> rewind)
    {
        for (int i = 0; i < Queue.Priorities; i++)
        {
            byte priority = (byte)i;
            while (_parked[i]?.TryDequeue(out long sequence, out _) == true)
            {
                giveBack(contents.ListOf(i)!, priority, sequence);
            }

            if (_lookAgain[i] != long.MaxValue)
            {
                rewind(priority, _lookAgain[i]);
            }
        }
    }

    private static long[] NewPlaces()
    {
        long[] places = new long[Queue.Priorities];
        Array.Fill(places, long.MaxValue);
        return places;
    }
}
