namespace Pillarbox.Broker.Shards;

/// <summary>What one client collects for each shard during a pass. The connection's.</summary>
internal sealed class ShardOutbox
{
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

    /// <summary>Hands over everything, at once: a shard tells each client of a whole turn with one wake.</summary>
    public void Post()
    {
        for (int i = 0; i < _ops.Length; i++)
        {
            if (_ops[i].Count > 0)
            {
                _shards[i].Post(_ops[i].Span);
                _ops[i].Clear();
            }
        }
    }
}
