using System.Runtime.CompilerServices;
using System.Text;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues;

/// <summary>One queue: all control flow of its messages. Touched only by the shard that owns it, except where
/// said.</summary>
internal sealed partial class Queue
{
    public const int Priorities = 10;

    private readonly EntryPicker _picker = new();
    private readonly ConsumerSet _consumers = new();
    private readonly TimeHeap _delayed = new();
    private readonly Departures _departures;
    private readonly Outcomes _outcomes;
    private readonly Rewrites _rewrites;
    private readonly Drains _drains;
    private GoneNotices? _notices;
    private BrokerException? _refusal;

    public Queue(long id, QueueConfig config, AddressSpace space, Shard shard, EffectiveSettings rules)
    {
        Id = id;
        Config = config;
        Space = space;
        Shard = shard;
        Rules = rules;
        AddressUtf8 = Encoding.UTF8.GetBytes(config.Address);
        DurableIds = IsDurable ? new[] { id } : default(ReadOnlyMemory<long>);
        Approaches = config.AutoDelete ? new Approaches() : null;
        Contents = new QueueContents(shard.Chunks);
        _departures = new Departures(this);
        _outcomes = new Outcomes(this);
        _drains = new Drains(shard);
        _rewrites = new Rewrites(this);
    }

    /// <summary>Unique on the node, for ever.</summary>
    public long Id { get; }

    public QueueConfig Config { get; }

    public AddressSpace Space { get; }

    public Shard Shard { get; }

    public EffectiveSettings Rules { get; }

    public QueueContents Contents { get; }

    public QueueCounters Counters => Contents.Counters;

    public AttemptNotes Attempts => Contents.Attempts;

    public ConsumerSet Consumers => _consumers;

    /// <summary>Who has which group of messages; null: no message was in one.</summary>
    public MessageGroups? Groups => Contents.HasGroups ? field ??= new MessageGroups(this, _picker) : null;

    /// <summary>Whether its durable messages are in the journal.</summary>
    public bool IsDurable => Config.Durable && !Config.Temporary;

    /// <summary>Takes messages, delivers none.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Only messages that it matches are taken; null: all.</summary>
    public Selector? Filter { get; init; }

    /// <summary>Its address, for messages that do not say theirs.</summary>
    public byte[] AddressUtf8 { get; }

    /// <summary>The hash of the client whose messages it does not take; 0: it takes all.</summary>
    public ulong NotFromHash { get; init; }

    /// <summary>The patterns that it is bound to; null: none. The address space's, under its lock.</summary>
    public HashSet<string>? Bindings { get; set; }

    /// <summary>The queues that read streams for it, by stream; null: it never had one. The address space's, under its
    /// lock.</summary>
    public Dictionary<string, Queue>? Readers { get; set; }

    /// <summary>Which list of queues it was put into last. The address space's, under its lock.</summary>
    public long Mark { get; set; }

    /// <summary>Whether it takes only some messages.</summary>
    public bool IsSelective => Filter is not null || NotFromHash != 0;

    /// <summary><see cref="Id"/> as a list of one, empty when not durable: for message records.</summary>
    public ReadOnlyMemory<long> DurableIds { get; }

    public bool IsDeleted { get; private set; }

    /// <summary>What is routed to it and not in it yet; null: it never deletes itself. Any thread.</summary>
    public Approaches? Approaches { get; }

    /// <summary>In the shard's list of queues to dispatch.</summary>
    public bool IsDirty { get; set; }

    /// <summary>A hint for routing: somebody waits for messages. Any thread reads.</summary>
    public bool HasCredit { get; private set; }

    /// <summary>Where its messages come from when it is bound to a stream; null: it is not.</summary>
    public StreamFeed? Feed { get; private set; }

    /// <summary>Who uses it; the address space's, under its lock.</summary>
    public QueueAdmission Admission { get; } = new();

    private BrokerServices Services => Shard.Services;

    /// <summary>Binds it to a stream, before anybody knows it.</summary>
    public StreamFeed Bind(string stream, bool followsAll) => Feed = new StreamFeed(this, stream, followsAll);

    // ---- the five verbs -----------------------------------------------------------------------------------------

    /// <summary>Takes a message in.</summary>
    public void Enqueue(in ShardOp op)
    {
        Add(op);
        if (op.Approached)
        {
            Approaches?.Leave();
        }
    }

    /// <summary>Gives ready messages to consumers with credit.</summary>
    public void Dispatch()
    {
        if (IsDeleted)
        {
            return;
        }

        TakeDue(Shard.NowMs);
        Feed?.Fill();
        _picker.Rest();
        IReadOnlyList<ConsumerGroup> groups = _consumers.Groups;
        for (int i = 0; i < groups.Count && Counters.Ready > 0 && !IsPaused; i++)
        {
            DispatchTo(groups[i]);
        }

        if (_picker.IsTired || (Feed is { HasMore: true } && _consumers.HasCredit))
        {
            Shard.Post(new ShardAction(shard => shard.MarkDirty(this)));
        }
        else if (Feed is not { IsReading: true })
        {
            _drains.Answer(_consumers);
        }

        HasCredit = _consumers.HasCredit;
    }

    /// <summary>Does what a consumer, or its transaction, says about a delivery.</summary>
    public void Settle(in ShardOp op)
    {
        if (_rewrites.Defers(op))
        {
            return;
        }

        Consumer consumer = (Consumer)op.Subject!;
        ref QueueEntry entry = ref Find(op.Priority, op.Id);
        if (!IsHeld(entry, consumer.Number, op.Stamp))
        {
            Confirm(consumer, op.Tag);
            return;
        }

        switch (op.Kind)
        {
            case OpKind.Stage:
                entry.Flags |= EntryFlags.Staged;
                return;
            case OpKind.Unstage:
                entry.Flags &= ~EntryFlags.Staged;
                if (consumer.IsGone)
                {
                    _outcomes.GiveBack(ref entry, op.Priority, op.Id);
                }

                return;
            case OpKind.Quarantine:
                Quarantine(ref entry, op.Priority, op.Id, op.Reason ?? "damaged");
                break;
            default:
                _outcomes.Conclude(consumer, ref entry, op);
                break;
        }

        if (!consumer.IsGone)
        {
            consumer.Held.OnSettled(this, consumer.Number);
        }

        Confirm(consumer, op.Tag);
    }

    /// <summary>Does what is due by the clock.</summary>
    public void Tick(long nowMs)
    {
        TakeDue(nowMs);
        Feed?.Group?.Tick(nowMs);
        _departures.Retry();
        UpdateTimed();
        Shard.MarkDirty(this);
    }

    /// <summary>Whether a delivery is still with the consumer that got it.</summary>
    public bool Holds(in HeldDelivery held, int owner) =>
        IsHeld(Find(held.Priority, held.Sequence), owner, held.Stamp);

    /// <summary>Merges what a consumer noted on a message that it holds into the message.</summary>
    public void Merge(in Delivery delivery, ReadOnlyMemory<byte> annotations) =>
        _rewrites.Merge(delivery, annotations);

    /// <summary>Merges into a message what the journal has for it; before the shards run.</summary>
    public void MergeRecovered(byte priority, long sequence, ReadOnlyMemory<byte> annotations) =>
        _rewrites.MergeRecovered(priority, sequence, annotations);

    /// <summary>Takes back a message that the disk still holds; before the shards run.</summary>
    public void Recover(in QueueEntry entry, byte priority, long expiresAtMs, MessageGroup group) =>
        Contents.Add(entry, priority, expiresAtMs, group);

    /// <summary>A message that failed waits until it is due. Also before the shards run.</summary>
    public void Delay(ref QueueEntry entry, byte priority, long sequence, long dueMs)
    {
        Contents.SetState(ref entry, EntryState.Delayed);
        _delayed.Add(new TimedEntry(dueMs, sequence, priority));
        Shard.SetTimed(this, true);
    }

    /// <summary>When delayed messages are due; also of some that are gone, or no longer delayed.</summary>
    public ReadOnlySpan<TimedEntry> Delays => _delayed.Items;

    // ---- consumers ----------------------------------------------------------------------------------------------

    public void AddConsumer(Consumer consumer)
    {
        BrokerException? reason = IsDeleted
            ? new BrokerException(BrokerError.ResourceDeleted, $"queue {Config.Name} was deleted")
            : _refusal;
        if (reason is not null)
        {
            Close(consumer, reason);
            return;
        }

        _consumers.Add(consumer);
    }

    public void RemoveConsumer(Consumer consumer, bool countAttempts)
    {
        if (consumer.IsGone)
        {
            return;
        }

        consumer.IsGone = true;
        _drains.Forget(consumer);
        consumer.Filter?.DropLoaded();
        _consumers.Remove(consumer);
        Groups?.Leave(consumer);
        Shard.MarkDirty(this);
        HasCredit = _consumers.HasCredit;
        for (int i = 0; i < consumer.Held.Count; i++)
        {
            HeldDelivery held = consumer.Held[i];
            ref QueueEntry entry = ref Find(held.Priority, held.Sequence);
            if (IsHeld(entry, consumer.Number, held.Stamp) && !entry.Has(EntryFlags.Staged))
            {
                _outcomes.GoBack(ref entry, held, countAttempts, consumer);
            }
        }

        consumer.Held.Clear();
    }

    public void Grant(Consumer consumer, long credit)
    {
        consumer.Credit += credit;
        _consumers.Await(consumer);
        Shard.MarkDirty(this);
    }

    public void Drain(Consumer consumer)
    {
        _drains.Request(consumer);
        Shard.MarkDirty(this);
    }

    // ---- operators ----------------------------------------------------------------------------------------------

    public void SetPaused(bool paused)
    {
        IsPaused = paused;
        Shard.MarkDirty(this);
    }

    /// <summary>Removes up to <paramref name="max"/> messages that nobody holds; returns how many.</summary>
    public int Purge(int max)
    {
        List<(byte Priority, long Sequence)> places =
            Contents.Places(entry => entry.State is EntryState.Ready or EntryState.Delayed, max);
        foreach ((byte priority, long sequence) in places)
        {
            Remove(ref Find(priority, sequence), priority, sequence, journal: true);
        }

        return places.Count;
    }

    /// <summary>Drops everything, a slice at a time; consumers hear of it at once.</summary>
    public void Delete()
    {
        IsDeleted = true;
        Feed?.Dispose();
        Shard.SetTimed(this, false);
        foreach (Consumer consumer in _consumers.All.ToArray())
        {
            Clearance.DropHeld(this, consumer);
            Close(consumer, new BrokerException(BrokerError.ResourceDeleted, $"queue {Config.Name} was deleted"));
        }

        Clearance.DropSlice(this);
    }

    /// <summary>Its consumers cannot have what they want.</summary>
    public void Refuse(BrokerException reason)
    {
        _refusal = reason;
        foreach (Consumer consumer in _consumers.All.ToArray())
        {
            Close(consumer, reason);
        }
    }

    /// <summary>The entry at a place, or a null reference.</summary>
    public ref QueueEntry Find(byte priority, long sequence) => ref Contents.Find(priority, sequence);

    /// <summary>The broker has moved the message elsewhere, or dropped it.</summary>
    public void FinishDeparture(byte priority, long sequence, bool journal) =>
        Remove(ref Find(priority, sequence), priority, sequence, journal);

    /// <summary>It could not leave: it stays where it is.</summary>
    public void CancelDeparture(byte priority, long sequence)
    {
        ref QueueEntry entry = ref Find(priority, sequence);
        entry.Flags &= ~(EntryFlags.Doomed | EntryFlags.Exhausted | EntryFlags.Expired);
        MakeReady(ref entry, priority, sequence);
    }

    /// <summary>A producer is closed: it hears of none of its messages any more.</summary>
    public void ForgetNotices(Producer producer) => _notices?.Forget(producer);

    public void UpdateTimed() =>
        Shard.SetTimed(this, !IsDeleted && (Contents.Expiry.Count > 0 || _delayed.Count > 0
            || _departures.HasStuck || Feed is { NeedsTicks: true }));

    // ---- inside -------------------------------------------------------------------------------------------------

    private static bool IsHeld(in QueueEntry entry, int owner, uint stamp) =>
        !Unsafe.IsNullRef(in entry) && entry.State == EntryState.InFlight && entry.Owner == owner
            && entry.Stamp == stamp;

    private void Add(in ShardOp op)
    {
        QueueEntry entry = new()
        {
            Id = op.Id,
            Position = op.Position,
            RecordBytes = op.RecordBytes,
            DeliveryCount = op.DeliveryCount,
            State = EntryState.Ready,
            Flags = op.EntryFlags | (op.TimeMs > 0 ? EntryFlags.HasExpiry : 0),
        };
        if (IsDeleted)
        {
            Shard.Settlements.Release(entry);
            return;
        }

        if (op.MayDrop && Config.TransientMax >= 0 && Counters.Messages >= Config.TransientMax)
        {
            Counters.DroppedTotal++;
            Shard.Settlements.Release(entry);
            return;
        }

        long sequence = Contents.Add(entry, op.Priority, op.TimeMs, op.Group);
        if (op.Subject is Producer hearer)
        {
            (_notices ??= new GoneNotices()).Add(entry, hearer, op.Tag);
        }

        if (op.DueMs > Shard.NowMs)
        {
            Delay(ref Find(op.Priority, sequence), op.Priority, sequence, op.DueMs);
        }

        if (op.TimeMs > 0)
        {
            Shard.SetTimed(this, true);
        }

        Counters.EnqueuedTotal++;
        Shard.MarkDirty(this);
    }

    private void DispatchTo(ConsumerGroup group)
    {
        int misses = 0;
        while (Counters.Ready > 0 && misses < group.Waiting.Count && group.Next() is { } consumer)
        {
            if (_consumers.Admits(consumer) && _picker.TryTake(this, consumer, out byte priority, out long sequence))
            {
                misses = 0;
                Deliver(consumer, priority, sequence);
            }
            else
            {
                misses++;
            }

            if (consumer.Credit > 0)
            {
                group.Await(consumer);
            }
        }
    }

    private void Deliver(Consumer consumer, byte priority, long sequence)
    {
        ref QueueEntry entry = ref Find(priority, sequence);
        if (entry.Has(EntryFlags.Doomed))
        {
            Depart(ref entry, priority, sequence, entry.Has(EntryFlags.Exhausted)
                ? DepartureReason.MaxDeliveryAttempts : DepartureReason.Rejected);
            return;
        }

        consumer.Credit--;
        MessageGroup group = consumer.Browses ? default : Contents.GroupOf(priority, sequence);
        bool startsGroup = !group.IsNone && Groups!.Claim(group, consumer);
        Hand(consumer, ref entry, priority, sequence, claim: 0, startsGroup);
    }

    /// <summary>Gives a message that nobody has to a consumer.</summary>
    public void Hand(
        Consumer consumer, ref QueueEntry entry, byte priority, long sequence, int claim, bool startsGroup = false)
    {
        bool browsing = consumer.Browses;
        if (!browsing)
        {
            entry.Owner = consumer.Number;
            entry.Stamp = ++consumer.LastStamp;
            Contents.SetState(ref entry, EntryState.InFlight);
            consumer.Held.Add(new HeldDelivery(sequence, entry.Stamp, priority));
        }

        consumer.DeliveredTotal++;
        Shard.DeliveredTotal++;
        ref ClientEvent told = ref Shard.Tell(consumer.Client);
        told.Kind = EventKind.Delivery;
        told.Delivery = new Delivery
        {
            Consumer = consumer,
            Queue = this,
            Sequence = sequence,
            Stamp = browsing ? 0 : entry.Stamp,
            MessageId = entry.Id,
            Position = entry.Position,
            RecordBytes = entry.RecordBytes,
            Durable = entry.Has(EntryFlags.InJournal),
            Large = entry.Has(EntryFlags.Large),
            Priority = priority,
            DeliveryCount = entry.DeliveryCount,
            Browsing = browsing,
            Claim = claim,
            StartsGroup = startsGroup,
        };
    }

    /// <summary>Back among those that wait.</summary>
    public void MakeReady(ref QueueEntry entry, byte priority, long sequence)
    {
        Contents.SetState(ref entry, EntryState.Ready);
        EntryList list = Contents.ListOf(priority)!;
        _picker.Return(list, priority, sequence);
        foreach (Consumer consumer in _consumers.Choosers)
        {
            consumer.Filter!.Return(list, priority, sequence);
        }

        Shard.MarkDirty(this);
    }

    /// <summary>On its way out by the broker itself.</summary>
    public void Depart(ref QueueEntry entry, byte priority, long sequence, DepartureReason reason)
    {
        Contents.SetState(ref entry, EntryState.Leaving);
        _departures.Start(priority, sequence, reason);
    }

    /// <summary>Out of the queue, for good.</summary>
    public void Remove(ref QueueEntry entry, byte priority, long sequence, bool journal)
    {
        if (entry.IsRecord)
        {
            Feed!.OnRemoved(entry, journal);
        }
        else
        {
            if (journal && IsDurable && entry.Has(EntryFlags.InJournal))
            {
                Shard.Settlements.Settled(Id, entry, priority);
            }

            Shard.Settlements.Release(entry);
            if (_notices is not null && _notices.TryTake(entry, out Producer? producer, out ulong tag))
            {
                Shard.Settlements.Confirm(producer!.Client, tag);
            }
        }

        Contents.Remove(ref entry, priority, sequence);
    }

    private void TakeDue(long nowMs)
    {
        while (Contents.Expiry.TryTakeDue(nowMs, out TimedEntry due))
        {
            ref QueueEntry entry = ref Find(due.Priority, due.Sequence);
            if (Contents.IsThere(due.Priority, due.Sequence) && entry.Has(EntryFlags.HasExpiry))
            {
                Expire(ref entry, due);
            }
        }

        while (_delayed.TryTakeDue(nowMs, out TimedEntry due))
        {
            ref QueueEntry entry = ref Find(due.Priority, due.Sequence);
            if (!Unsafe.IsNullRef(ref entry) && entry.State == EntryState.Delayed)
            {
                MakeReady(ref entry, due.Priority, due.Sequence);
            }
        }
    }

    private void Expire(ref QueueEntry entry, in TimedEntry due)
    {
        if (entry.State is EntryState.Ready or EntryState.Delayed)
        {
            Depart(ref entry, due.Priority, due.Sequence, DepartureReason.Expired);
        }
        else
        {
            entry.Flags |= EntryFlags.Expired;
        }
    }

    private void Confirm(Consumer consumer, ulong tag)
    {
        if (tag != 0)
        {
            Shard.Settlements.Confirm(consumer.Client, tag);
        }
    }

    private void Close(Consumer consumer, BrokerException reason)
    {
        RemoveConsumer(consumer, countAttempts: false);
        ref ClientEvent told = ref Shard.Tell(consumer.Client);
        told.Kind = EventKind.ConsumerClosed;
        told.Subject = consumer;
        told.Error = reason;
    }
}
