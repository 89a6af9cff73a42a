using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// Blocks that sockets read into and write from. Larger than the framework's 4 KiB: one receive then brings many
/// frames, or a whole large one. An idle connection holds none. Thread-safe.
/// </summary>
internal sealed class SocketBlockPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockBytes = 64 << 10;

    /// <summary>Free blocks that are kept: 16 MiB.</summary>
    private const int FreeBlocksMax = 256;

    private readonly ConcurrentStack<Block> _free = new();
    private int _freeCount;
    private int _inUse;

    /// <summary>Blocks that connections hold now.</summary>
    public int InUse => Volatile.Read(ref _inUse);

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <summary>One pool for all: blocks move between threads anyhow.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        Interlocked.Increment(ref _inUse);
        if (_free.TryPop(out Block? block))
        {
            Interlocked.Decrement(ref _freeCount);
        }
        else
        {
            block = new Block(this);
        }

        block.IsRented = 1;
        return block;
    }

    /// <summary>Lives as long as the process may hold one of its blocks: whoever disposes it changes
    /// nothing.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        Interlocked.Decrement(ref _inUse);
        if (Interlocked.Increment(ref _freeCount) <= FreeBlocksMax)
        {
            _free.Push(block);
        }
        else
        {
            Interlocked.Decrement(ref _freeCount);
        }
    }

    private sealed class Block(SocketBlockPool pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

        public int IsRented;

        public Memory<byte> Memory => _bytes;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref IsRented, 0) == 1)
            {
                pool.Return(this);
            }
        }
    }
}
