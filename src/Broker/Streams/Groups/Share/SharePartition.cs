using Pillarbox.Model;

namespace Pillarbox.Broker.Streams.Groups.Share;

/// <summary>Where a record is. Numbers are those on disk.</summary>
internal enum ShareState : byte
{
    Available = 0,
    Acquired = 1,
    Acknowledged = 2,

    /// <summary>Nobody could do it, and it is on its way to the dead letters.</summary>
    Archiving = 3,
    Archived = 4,
}

/// <summary>A run of records with the same state.</summary>
internal readonly record struct ShareRange(long First, long Last, ShareState State, short DeliveryCount);

/// <summary>
/// The records of a partition that a share group is busy with: a window over the log, from the first that is not done
/// with to the last that was ever given out.
/// <code>
/// Available --acquire--> Acquired --accept--> Acknowledged
///     ^                     | |--reject, or tried too often--> Archiving --kept--> Archived
///     +--release, time over-+
/// </code>
/// Pure; one owner.
/// </summary>
internal sealed class SharePartition(long startOffset, ShareOptions limits)
{
    private Slot[] _slots = new Slot[64];
    private int _head;
    private int _count;

    /// <summary>Everything below is done with.</summary>
    public long StartOffset { get; private set; } = startOffset;

    /// <summary>Behind the last record that was ever given out.</summary>
    public long EndOffset => StartOffset + _count;

    public int InFlight => _count;

    /// <summary>The group's limits; they may change.</summary>
    public ShareOptions Limits { get; set; } = limits;

    /// <summary>When the first lock ends; never when there is none.</summary>
    public long NextLockMs { get; private set; } = long.MaxValue;

    /// <summary>Told of every record that nobody could do; <see cref="Bury"/> answers. Null: nobody wants those.
    /// </summary>
    public Action<long, short, bool>? DeadLettered { get; set; }

    /// <summary>Records that nobody could do and that are not kept elsewhere yet, with their deliveries.</summary>
    public IReadOnlyList<(long Offset, short DeliveryCount)> Archiving =>
    [
        .. Enumerable.Range(0, _count).Where(i => At(i).State == ShareState.Archiving)
            .Select(i => (StartOffset + i, At(i).DeliveryCount)),
    ];

    /// <summary>Where to read on: the first record that anybody may have.</summary>
    public long NextOffset
    {
        get
        {
            for (int i = 0; i < _count; i++)
            {
                if (At(i).State == ShareState.Available)
                {
                    return StartOffset + i;
                }
            }

            return EndOffset;
        }
    }

    /// <summary>Gives a member what is free of the records that were read.</summary>
    public List<AcquiredRange> Acquire(ShareAcquireRequest request, long nowMs)
    {
        List<AcquiredRange> ranges = [];
        Skip(request.First);
        int left = request.RecordsMax;
        int aborted = 0;
        for (long offset = Math.Max(request.First, StartOffset); offset <= request.Last && left > 0; offset++)
        {
            if (AbortedTo(request.Aborted, offset, ref aborted) is { } last)
            {
                Discard(offset, Math.Min(last, request.Last));
                offset = Math.Max(Math.Min(last, request.Last), StartOffset - 1);
                continue;
            }

            if (offset >= EndOffset && !Extend(ShareState.Available))
            {
                break;
            }

            ref Slot slot = ref At((int)(offset - StartOffset));
            if (slot.State == ShareState.Available)
            {
                slot.State = ShareState.Acquired;
                slot.DeliveryCount++;
                Lock(ref slot, request.MemberId, nowMs);
                Add(ranges, offset, slot.DeliveryCount);
                left--;
            }
        }

        return ranges;
    }

    /// <summary>What a member did with records it has: all of it, or nothing when it does not have one of
    /// them.</summary>
    public CoordinatorError Acknowledge(string member, IReadOnlyList<ShareAcknowledgeRange> done, long nowMs)
    {
        foreach (ShareAcknowledgeRange range in done)
        {
            CoordinatorError error = Check(member, range);
            if (error != CoordinatorError.None)
            {
                return error;
            }
        }

        foreach (ShareAcknowledgeRange range in done)
        {
            for (long offset = range.First; offset <= range.Last; offset++)
            {
                ShareAcknowledgement type = range.Types[range.Types.Count == 1 ? 0 : (int)(offset - range.First)];
                Apply(offset, member, type, nowMs);
            }
        }

        Advance();
        return CoordinatorError.None;
    }

    /// <summary>A member is gone: what it had is free. True when it had something.</summary>
    public bool Release(string member)
    {
        bool any = false;
        for (int i = 0; i < _count; i++)
        {
            if (At(i).State == ShareState.Acquired && At(i).Member == member)
            {
                GiveBack(i);
                any = true;
            }
        }

        Advance();
        return any;
    }

    /// <summary>Locks that are over free their records. True when there were some.</summary>
    public bool Expire(long nowMs)
    {
        bool any = false;
        NextLockMs = long.MaxValue;
        for (int i = 0; i < _count; i++)
        {
            ref Slot slot = ref At(i);
            if (slot.State != ShareState.Acquired)
            {
                continue;
            }

            if (slot.LockUntilMs <= nowMs)
            {
                GiveBack(i);
                any = true;
            }
            else
            {
                NextLockMs = Math.Min(NextLockMs, slot.LockUntilMs);
            }
        }

        Advance();
        return any;
    }

    /// <summary>A record that nobody could do is kept elsewhere. True when that changed something.</summary>
    public bool Bury(long offset)
    {
        if (offset < StartOffset || offset >= EndOffset)
        {
            return false;
        }

        ref Slot slot = ref At((int)(offset - StartOffset));
        if (slot.State != ShareState.Archiving)
        {
            return false;
        }

        slot.State = ShareState.Archived;
        Advance();
        return true;
    }

    /// <summary>Records below an offset are no more in the log. True when that changed something.</summary>
    public bool Trim(long logStart)
    {
        if (logStart <= StartOffset)
        {
            return false;
        }

        int gone = (int)Math.Min(_count, logStart - StartOffset);
        for (int i = 0; i < gone; i++)
        {
            Drop();
        }

        StartOffset = logStart;
        Advance();
        return true;
    }

    /// <summary>The window in runs, as it is kept: what members have is free again after a start, and the try that
    /// the stop cut short does not count.</summary>
    public List<ShareRange> Export()
    {
        List<ShareRange> ranges = [];
        for (int i = 0; i < _count; i++)
        {
            Slot slot = At(i);
            bool isHeld = slot.State == ShareState.Acquired;
            ShareState state = isHeld ? ShareState.Available : slot.State;
            short deliveries = isHeld ? (short)(slot.DeliveryCount - 1) : slot.DeliveryCount;
            long offset = StartOffset + i;
            if (ranges.Count > 0 && ranges[^1].State == state && ranges[^1].DeliveryCount == deliveries)
            {
                ranges[^1] = ranges[^1] with { Last = offset };
            }
            else
            {
                ranges.Add(new ShareRange(offset, offset, state, deliveries));
            }
        }

        return ranges;
    }

    /// <summary>Puts a run back that was kept; in order, on an empty window first.</summary>
    public void Import(in ShareRange range)
    {
        Invariant.That(range.First >= EndOffset && range.Last >= range.First);
        while (EndOffset < range.First)
        {
            Grow().State = ShareState.Archived;
        }

        while (EndOffset <= range.Last)
        {
            ref Slot slot = ref Grow();
            slot.State = range.State;
            slot.DeliveryCount = range.DeliveryCount;
        }

        Advance();
    }

    // Where the aborted run ends that an offset is in; null: it is in none. Offsets and runs only go up.
    private static long? AbortedTo(IReadOnlyList<(long First, long Last)> runs, long offset, ref int at)
    {
        while (at < runs.Count && runs[at].Last < offset)
        {
            at++;
        }

        return at < runs.Count && runs[at].First <= offset ? runs[at].Last : null;
    }

    // Nobody gets these. As many as there are, if nothing else is under way; else as many as the window takes.
    private void Discard(long first, long last)
    {
        for (long offset = first; offset <= last && offset < EndOffset; offset++)
        {
            ref Slot slot = ref At((int)(offset - StartOffset));
            slot.State = slot.State == ShareState.Available ? ShareState.Archived : slot.State;
        }

        Advance();
        Skip(last + 1);
    }

    private CoordinatorError Check(string member, in ShareAcknowledgeRange range)
    {
        long records = range.Last - range.First + 1;
        if (records <= 0 || (range.Types.Count != 1 && range.Types.Count != records)
            || range.Types.Any(t => t > ShareAcknowledgement.Renew))
        {
            return CoordinatorError.InvalidRequest;
        }

        if (range.First < StartOffset || range.Last >= EndOffset
            || (!Limits.MayRenew && range.Types.Contains(ShareAcknowledgement.Renew)))
        {
            return CoordinatorError.InvalidRecordState;
        }

        for (long offset = range.First; offset <= range.Last; offset++)
        {
            Slot slot = At((int)(offset - StartOffset));
            if (slot.State != ShareState.Acquired || slot.Member != member)
            {
                return CoordinatorError.InvalidRecordState;
            }
        }

        return CoordinatorError.None;
    }

    private void Apply(long offset, string member, ShareAcknowledgement type, long nowMs)
    {
        int index = (int)(offset - StartOffset);
        ref Slot slot = ref At(index);
        switch (type)
        {
            case ShareAcknowledgement.Accept:
                slot.State = ShareState.Acknowledged;
                break;
            case ShareAcknowledgement.Gap:
                slot.State = ShareState.Archived;
                break;
            case ShareAcknowledgement.Reject:
                GiveUp(index, isRejected: true);
                break;
            case ShareAcknowledgement.Release:
                GiveBack(index);
                break;
            case ShareAcknowledgement.Renew:
                Lock(ref slot, member, nowMs);
                break;
        }
    }

    private void GiveBack(int index)
    {
        ref Slot slot = ref At(index);
        slot.Member = null;
        slot.State = ShareState.Available;
        if (slot.DeliveryCount >= Limits.DeliveryCountMax)
        {
            GiveUp(index, isRejected: false);
        }
    }

    private void GiveUp(int index, bool isRejected)
    {
        ref Slot slot = ref At(index);
        slot.State = DeadLettered is null ? ShareState.Archived : ShareState.Archiving;
        DeadLettered?.Invoke(StartOffset + index, slot.DeliveryCount, isRejected);
    }

    private void Lock(ref Slot slot, string member, long nowMs)
    {
        slot.Member = member;
        slot.LockUntilMs = nowMs + Limits.LockMs;
        NextLockMs = Math.Min(NextLockMs, slot.LockUntilMs);
    }

    // Offsets that the log does not have (compaction took them, or they are markers) are done with. Nothing before
    // the window's end is in flight then, so the start may move as far as it likes.
    private void Skip(long first)
    {
        if (_count == 0 && first > StartOffset)
        {
            StartOffset = first;
        }

        while (EndOffset < first && Extend(ShareState.Archived))
        {
        }
    }

    private bool Extend(ShareState state)
    {
        if (_count >= Limits.InFlightMax)
        {
            return false;
        }

        Grow().State = state;
        return true;
    }

    private void Advance()
    {
        while (_count > 0 && At(0).State is (ShareState.Acknowledged or ShareState.Archived))
        {
            Drop();
            StartOffset++;
        }
    }

    private void Drop()
    {
        _slots[_head] = default;
        _head = (_head + 1) % _slots.Length;
        _count--;
    }

    private ref Slot Grow()
    {
        if (_count == _slots.Length)
        {
            Slot[] larger = new Slot[_count * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = At(i);
            }

            _slots = larger;
            _head = 0;
        }

        _count++;
        return ref At(_count - 1);
    }

    private ref Slot At(int index) => ref _slots[(_head + index) % _slots.Length];

    private static void Add(List<AcquiredRange> ranges, long offset, short deliveryCount)
    {
        if (ranges.Count > 0 && ranges[^1].Last == offset - 1 && ranges[^1].DeliveryCount == deliveryCount)
        {
            ranges[^1] = ranges[^1] with { Last = offset };
        }
        else
        {
            ranges.Add(new AcquiredRange(offset, offset, deliveryCount));
        }
    }

    private struct Slot
    {
        public ShareState State;
        public short DeliveryCount;
        public string? Member;
        public long LockUntilMs;
    }
}
