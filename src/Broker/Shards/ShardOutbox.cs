namespace Pillarbox.Broker.Shards;

/// <summary>What one client collects for each shard during a pass. The connection's.</summary>
internal sealed class ShardOutbox
{
    /// <summary>So many ops for one shard are handed over before the pass ends.</summary>
    private const int PostedAtOnce = 900;

    private readonly IReadOnlyList<Shard> _shards;
    private readonly Buffer<ShardOp>[] _ops;

    public ShardOutbox(IReadOnlyList<Shard> shards)
    {
        _shards = shards;
        _ops = new Buffer<ShardOp>[shards.Count];
        for (int i = 0; i < _ops.Length; i++)
        {
            _ops[i] = new Buffer<ShardOp>();
        }
    }

    /// <summary>A further op for a shard, to be filled at once.</summary>
    public ref ShardOp For(Shard shard) => ref _ops[shard.Index].Add();

    /// <summary>Hands over everything.</summary>
    public void Post() => Post(1);

    /// <summary>Hands over where there is much: one message to hundreds of queues is hundreds of ops, and a whole pass
    /// of them would take megabytes.</summary>
    public void PostMany() => Post(PostedAtOnce);

    private void Post(int opsMin)
    {
        for (int i = 0; i < _ops.Length; i++)
        {
            if (_ops[i].Count >= opsMin)
            {
                _shards[i].Post(_ops[i].Span);
                _ops[i].Clear();
            }
        }
    }
}
