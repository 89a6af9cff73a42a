using Pillarbox.Broker.Queues;
using Pillarbox.Model;

namespace Pillarbox.Broker.Shards;

/// <summary>What a shard is asked to do.</summary>
internal enum OpKind : byte
{
    /// <summary>A message for <see cref="ShardOp.Queue"/>: Id, Position, RecordBytes, Priority, EntryFlags, Count,
    /// TimeMs = expiry; Subject = the producer that hears when it is gone, by Tag.</summary>
    Enqueue,

    /// <summary>Subject = consumer; Id = sequence, Priority, Stamp, Outcome; Extra = reason; Tag.</summary>
    Settle,

    /// <summary>As Settle, for a committed transaction: the records are written already.</summary>
    SettleCommitted,

    /// <summary>As Settle: a transaction holds the delivery from now on.</summary>
    Stage,

    /// <summary>As Settle: the transaction rolled back.</summary>
    Unstage,

    /// <summary>As Settle: the bytes are damaged; Extra = reason.</summary>
    Quarantine,

    /// <summary>Subject = consumer.</summary>
    OpenConsumer,

    /// <summary>Subject = consumer; Outcome.DeliveryFailed = count the attempts.</summary>
    CloseConsumer,

    /// <summary>Subject = consumer; Id = credit.</summary>
    Grant,

    /// <summary>Subject = consumer.</summary>
    Drain,

    /// <summary>Subject = <see cref="IShardWork"/>, for what is rare.</summary>
    Work,

    /// <summary>Timers.</summary>
    Tick,
}

/// <summary>One thing for a shard to do; which fields count is said at <see cref="OpKind"/>.</summary>
internal struct ShardOp
{
    public OpKind Kind;
    public byte Priority;
    public EntryFlags EntryFlags;
    public OutcomeBits Outcome;
    public int RecordBytes;
    public uint Stamp;
    public ushort DeliveryCount;

    /// <summary>With Enqueue: the queue counts it as on its way.</summary>
    public bool Approached;

    /// <summary>With Enqueue: a queue that holds as many as it may need not take it.</summary>
    public bool MayDrop;
    public long Id;
    public long Position;
    public long TimeMs;

    /// <summary>With Enqueue: not delivered before this time; 0: at once.</summary>
    public long DueMs;

    /// <summary>With Enqueue: the message's group.</summary>
    public MessageGroup Group;
    public ulong Tag;
    public Queue? Queue;
    public object? Subject;
    public string? Reason;
}

/// <summary>An outcome, packed.</summary>
[Flags]
internal enum OutcomeBits : byte
{
    Accepted = 0,
    Rejected = 1,
    Released = 2,
    Modified = 3,
    KindMask = 3,
    DeliveryFailed = 4,
    UndeliverableHere = 8,
    Begun = 16,
    Expired = 32,
}

/// <summary>Something rare that must run where the shard's queues may be touched.</summary>
internal interface IShardWork
{
    void Run(Shard shard);
}

/// <summary>Work whose result somebody waits for, on another thread.</summary>
internal sealed class ShardWork<T>(Func<Shard, T> run) : IShardWork
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Done => _done.Task;

    public void Run(Shard shard)
    {
        try
        {
            _done.SetResult(run(shard));
        }
        catch (Exception e)
        {
            _done.SetException(e);
        }
    }
}

/// <summary>Work that nobody waits for.</summary>
internal sealed class ShardAction(Action<Shard> run) : IShardWork
{
    public void Run(Shard shard) => run(shard);
}
