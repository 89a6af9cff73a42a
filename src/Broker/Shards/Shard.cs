using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;

namespace Pillarbox.Broker.Shards;

/// <summary>
/// Owns queues: only its drainer touches them. Whoever posts to an idle shard drains it at once on its own thread;
/// whoever posts
/// to a busy one just leaves the work there. What clients must hear is collected and handed over once per turn.
/// </summary>
internal sealed class Shard : IThreadPoolWorkItem
{
    /// <summary>Turns that one poster drains for others before a pool thread goes on.</summary>
    private const int TurnsMax = 16;

    private readonly Inbox<ShardOp> _inbox = new();
    private readonly List<Queue> _dirty = [];
    private readonly HashSet<Queue> _timed = [];
    private readonly List<BrokerClient> _told = [];
    private readonly Stack<Buffer<ClientEvent>> _buffers = new();
    private ShardOp[] _taken = [];

    public Shard(BrokerServices services, int index)
    {
        Services = services;
        Index = index;
        Settlements = new SettlementJournal(services);
        Mark = services.Marks.Add();
    }

    public BrokerServices Services { get; }

    public int Index { get; }

    public ChunkPool Chunks { get; } = new();

    public SettlementJournal Settlements { get; }

    public AppendMark Mark { get; }

    /// <summary>Deliveries so far; any thread may read it a little late.</summary>
    public long DeliveredTotal { get; set; }

    /// <summary>The time of this turn.</summary>
    public long NowMs { get; private set; }

    /// <summary>Hands ops over; does them now when nobody else is.</summary>
    public void Post(ReadOnlySpan<ShardOp> ops)
    {
        if (_inbox.AddAndClaim(ops))
        {
            Drain();
        }
    }

    /// <summary>Hands one op over.</summary>
    public void Post(in ShardOp op) => Post(new ReadOnlySpan<ShardOp>(in op));

    /// <summary>Hands work over.</summary>
    public void Post(IShardWork work) => Post(new ShardOp { Kind = OpKind.Work, Subject = work });

    /// <summary>Runs something where the shard's queues may be touched.</summary>
    public Task<T> Ask<T>(Func<Shard, T> run)
    {
        ShardWork<T> work = new(run);
        Post(work);
        return work.Done;
    }

    /// <summary>A queue has something to dispatch at the end of this turn.</summary>
    public void MarkDirty(Queue queue)
    {
        if (!queue.IsDirty)
        {
            queue.IsDirty = true;
            _dirty.Add(queue);
        }
    }

    /// <summary>A queue wants ticks, or no longer.</summary>
    public void SetTimed(Queue queue, bool timed)
    {
        if (timed)
        {
            _timed.Add(queue);
        }
        else
        {
            _timed.Remove(queue);
        }
    }

    /// <summary>Something to tell a client at the end of this turn; to be filled at once.</summary>
    public ref ClientEvent Tell(BrokerClient client)
    {
        Buffer<ClientEvent>? buffer = client.Outboxes[Index];
        if (buffer is null)
        {
            buffer = _buffers.TryPop(out Buffer<ClientEvent>? free) ? free : new Buffer<ClientEvent>();
            client.Outboxes[Index] = buffer;
            _told.Add(client);
        }

        return ref buffer.Add();
    }

    /// <summary>Goes on where a poster stopped.</summary>
    public void Execute()
    {
        if (_inbox.TryClaim())
        {
            Drain();
        }
    }

    private void Drain()
    {
        for (int turn = 0; _inbox.TryTake(ref _taken, out int count); turn++)
        {
            Turn(_taken.AsSpan(0, count));
            if (turn >= TurnsMax && Services.Options.OwnThreads)
            {
                _inbox.Unclaim();
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }
        }
    }

    private void Turn(Span<ShardOp> ops)
    {
        NowMs = Services.NowMs;
        foreach (ref ShardOp op in ops)
        {
            try
            {
                Apply(in op);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                BrokerLog.ShardFault(Services.Logger, op.Kind.ToString(), e);
            }
        }

        ops.Clear();
        DispatchDirty();
        Settlements.Flush(this);
        SendEvents();
    }

    private void Apply(in ShardOp op)
    {
        switch (op.Kind)
        {
            case OpKind.Enqueue:
                op.Queue!.Enqueue(op);
                break;
            case OpKind.Settle or OpKind.SettleCommitted or OpKind.Stage or OpKind.Unstage or OpKind.Quarantine:
                ((Consumer)op.Subject!).Queue.Settle(op);
                break;
            case OpKind.OpenConsumer:
                ((Consumer)op.Subject!).Queue.AddConsumer((Consumer)op.Subject);
                break;
            case OpKind.CloseConsumer:
                ((Consumer)op.Subject!).Queue.RemoveConsumer((Consumer)op.Subject,
                    (op.Outcome & OutcomeBits.DeliveryFailed) != 0);
                break;
            case OpKind.Grant:
                ((Consumer)op.Subject!).Queue.Grant((Consumer)op.Subject, op.Id);
                break;
            case OpKind.Drain:
                ((Consumer)op.Subject!).Queue.Drain((Consumer)op.Subject);
                break;
            case OpKind.Work:
                ((IShardWork)op.Subject!).Run(this);
                break;
            case OpKind.Tick:
                Tick();
                break;
            default:
                Invariant.That(false, "unknown op");
                break;
        }
    }

    private void Tick()
    {
        foreach (Queue queue in _timed.Count == 0 ? [] : _timed.ToArray())
        {
            queue.Tick(NowMs);
        }
    }

    private void DispatchDirty()
    {
        for (int i = 0; i < _dirty.Count; i++)
        {
            Queue queue = _dirty[i];
            queue.IsDirty = false;
            try
            {
                queue.Dispatch();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                BrokerLog.ShardFault(Services.Logger, nameof(Queue.Dispatch), e);
            }
        }

        _dirty.Clear();
    }

    private void SendEvents()
    {
        foreach (BrokerClient client in _told)
        {
            Buffer<ClientEvent> buffer = client.Outboxes[Index]!;
            client.Outboxes[Index] = null;
            client.Receive(buffer.Span);
            buffer.Clear();
            _buffers.Push(buffer);
        }

        _told.Clear();
    }
}
