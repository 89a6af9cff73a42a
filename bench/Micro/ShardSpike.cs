using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Pillarbox.Micro;

/// <summary>
/// Who may touch a queue: a shard that drains an inbox (on the poster's own thread when idle), or whoever holds the
/// queue's lock. Two producers and two consumers, the same queue work behind both: 32-byte entries in, each to the
/// consumer whose turn it is, a settlement back. Batches are what one connection does in one pass.
/// </summary>
internal static class ShardSpike
{
    private static readonly int[] Batches = [1, 16, 256];

    public static void Run(double seconds)
    {
        foreach (int queues in (int[])[1, 4])
        {
            foreach (int batch in Batches)
            {
                double inbox = Median(() => Rate(() => new InboxQueue(), queues, batch, seconds));
                double gate = Median(() => Rate(() => new LockedQueue(), queues, batch, seconds));
                Console.WriteLine(
                    $"{queues} queue(s), batches of {batch,3}: inbox {inbox / 1e6,6:F2} M/s, "
                    + $"lock {gate / 1e6,6:F2} M/s, ratio {inbox / gate:F2}");
            }
        }

        double idleInbox = Idle(new InboxQueue());
        double idleLock = Idle(new LockedQueue());
        Console.WriteLine($"idle, one message through: inbox {idleInbox:F0} ns, lock {idleLock:F0} ns");
    }

    private static double Median(Func<double> measure)
    {
        double[] all = [measure(), measure(), measure()];
        Array.Sort(all);
        return all[1];
    }

    private static double Rate(Func<SpikeQueue> make, int queueCount, int batch, double seconds)
    {
        SpikeQueue[] queues = [.. Enumerable.Range(0, queueCount).Select(_ => make())];
        Outbox[] outboxes = [new(), new()];
        using CancellationTokenSource stop = new();
        long settled = 0;
        List<Thread> threads = [];
        for (int i = 0; i < 2; i++)
        {
            int me = i;
            threads.Add(new Thread(() => Produce(queues, outboxes, batch, me, stop.Token)));
            threads.Add(new Thread(() => Interlocked.Add(ref settled, Consume(queues, outboxes, me, stop.Token))));
        }

        long start = Stopwatch.GetTimestamp();
        threads.ForEach(thread => thread.Start());
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        stop.Cancel();
        threads.ForEach(thread => thread.Join());
        return settled / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Produce(SpikeQueue[] queues, Outbox[] outboxes, int batch, int me, CancellationToken stop)
    {
        Op[] ops = new Op[batch];
        for (int turn = me; !stop.IsCancellationRequested; turn++)
        {
            SpikeQueue queue = queues[turn % queues.Length];
            if (queue.Waiting > 50_000)
            {
                Thread.Yield();
                continue;
            }

            queue.Post(ops, outboxes);
        }
    }

    private static long Consume(SpikeQueue[] queues, Outbox[] outboxes, int me, CancellationToken stop)
    {
        long count = 0;
        Op[] taken = [];
        Op[] settle = new Op[4096];
        while (!stop.IsCancellationRequested)
        {
            int got = outboxes[me].Take(ref taken);
            if (got == 0)
            {
                Thread.Yield();
                continue;
            }

            foreach (SpikeQueue queue in queues)
            {
                int mine = 0;
                for (int i = 0; i < got; i++)
                {
                    if (taken[i].From == queue)
                    {
                        settle[mine++] = new Op { IsSettle = true, Sequence = taken[i].Sequence };
                        if (mine == settle.Length)
                        {
                            queue.Post(settle, outboxes);
                            mine = 0;
                        }
                    }
                }

                queue.Post(settle.AsSpan(0, mine), outboxes);
            }

            count += got;
        }

        return count;
    }

    private static double Idle(SpikeQueue queue)
    {
        Outbox[] outboxes = [new(), new()];
        Op[] one = new Op[1];
        Op[] taken = [];
        const int Rounds = 2_000_000;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Rounds; i++)
        {
            one[0] = default;
            queue.Post(one, outboxes);
            int me = outboxes[0].Take(ref taken) > 0 ? 0 : outboxes[1].Take(ref taken) > 0 ? 1 : -1;
            one[0] = new Op { IsSettle = true, Sequence = taken[0].Sequence };
            queue.Post(one, outboxes);
            if (me < 0)
            {
                throw new InvalidOperationException("lost");
            }
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Rounds;
    }

    /// <summary>Eight words, as the broker's own operations have.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Op
    {
        public bool IsSettle;
        public long Sequence;
        public SpikeQueue? From;
        public long A;
        public long B;
    }

    private struct Entry
    {
        public long Id;
        public long Position;
        public int Owner;
        public byte State;
    }

    /// <summary>What a connection finds when it wakes.</summary>
    private sealed class Outbox
    {
        private readonly Lock _gate = new();
        private Op[] _items = new Op[1024];
        private int _count;

        public void Add(ReadOnlySpan<Op> ops)
        {
            lock (_gate)
            {
                if (_count + ops.Length > _items.Length)
                {
                    Array.Resize(ref _items, Math.Max(_count + ops.Length, _items.Length * 2));
                }

                ops.CopyTo(_items.AsSpan(_count));
                _count += ops.Length;
            }
        }

        public int Take(ref Op[] buffer)
        {
            if (Volatile.Read(ref _count) == 0)
            {
                return 0;
            }

            lock (_gate)
            {
                int count = _count;
                (_items, buffer) = (buffer.Length < 1024 ? new Op[1024] : buffer, _items);
                _count = 0;
                return count;
            }
        }
    }

    /// <summary>The queue's work, the same behind both.</summary>
    private abstract class SpikeQueue
    {
        private readonly Entry[] _entries = new Entry[1 << 17];
        private readonly Op[][] _told = [new Op[4096], new Op[4096]];
        private readonly int[] _toldCount = new int[2];
        private long _head;
        private long _tail;
        private long _settled;

        public long Waiting => Volatile.Read(ref _tail) - Volatile.Read(ref _settled);

        public abstract void Post(ReadOnlySpan<Op> ops, Outbox[] outboxes);

        protected void Apply(ReadOnlySpan<Op> ops, Outbox[] outboxes)
        {
            foreach (ref readonly Op op in ops)
            {
                if (op.IsSettle)
                {
                    _entries[op.Sequence & (_entries.Length - 1)].State = 0;
                    _settled++;
                }
                else
                {
                    ref Entry entry = ref _entries[_tail & (_entries.Length - 1)];
                    entry = new Entry { Id = _tail, Position = _tail * 100, State = 1 };
                    _tail++;
                }
            }

            Dispatch(outboxes);
        }

        private void Dispatch(Outbox[] outboxes)
        {
            for (; _head < _tail; _head++)
            {
                int turn = (int)(_head & 1);
                ref Entry entry = ref _entries[_head & (_entries.Length - 1)];
                entry.State = 2;
                entry.Owner = turn;
                ref Op told = ref _told[turn][_toldCount[turn]++];
                told = new Op { Sequence = _head, From = this, A = entry.Id, B = entry.Position };
                if (_toldCount[turn] == _told[turn].Length)
                {
                    Tell(outboxes, turn);
                }
            }

            Tell(outboxes, 0);
            Tell(outboxes, 1);
        }

        private void Tell(Outbox[] outboxes, int turn)
        {
            if (_toldCount[turn] > 0)
            {
                outboxes[turn].Add(_told[turn].AsSpan(0, _toldCount[turn]));
                _toldCount[turn] = 0;
            }
        }
    }

    private sealed class LockedQueue : SpikeQueue
    {
        private readonly Lock _gate = new();

        public override void Post(ReadOnlySpan<Op> ops, Outbox[] outboxes)
        {
            if (ops.Length == 0)
            {
                return;
            }

            lock (_gate)
            {
                Apply(ops, outboxes);
            }
        }
    }

    private sealed class InboxQueue : SpikeQueue
    {
        private readonly Lock _gate = new();
        private Op[] _inbox = new Op[1024];
        private Op[] _taken = new Op[1024];
        private int _count;
        private bool _claimed;

        public override void Post(ReadOnlySpan<Op> ops, Outbox[] outboxes)
        {
            if (ops.Length == 0)
            {
                return;
            }

            lock (_gate)
            {
                if (_count + ops.Length > _inbox.Length)
                {
                    Array.Resize(ref _inbox, Math.Max(_count + ops.Length, _inbox.Length * 2));
                }

                ops.CopyTo(_inbox.AsSpan(_count));
                _count += ops.Length;
                if (_claimed)
                {
                    return;
                }

                _claimed = true;
            }

            while (TryTake(out int count))
            {
                Apply(_taken.AsSpan(0, count), outboxes);
            }
        }

        private bool TryTake(out int count)
        {
            lock (_gate)
            {
                count = _count;
                _count = 0;
                (_inbox, _taken) = (_taken, _inbox);
                _claimed = count > 0;
                return count > 0;
            }
        }
    }
}
