using System.Buffers;
using Pillarbox.Hosting.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

public sealed class SocketBlockPoolTests : IDisposable
{
    private readonly SocketBlockPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Blocks_are_used_again_and_counted()
    {
        IMemoryOwner<byte> first = _pool.Rent(4096);
        Assert.Equal(SocketBlockPool.BlockBytes, first.Memory.Length);
        Assert.Equal(1, _pool.InUse);
        first.Dispose();
        Assert.Equal(0, _pool.InUse);
        Assert.Same(first, _pool.Rent());
    }

    [Fact]
    public void Block_that_is_given_back_twice_is_free_once()
    {
        IMemoryOwner<byte> block = _pool.Rent();
        block.Dispose();
        block.Dispose();
        Assert.Equal(0, _pool.InUse);
        Assert.NotSame(_pool.Rent(), _pool.Rent());
    }

    [Fact]
    public void More_than_a_block_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(SocketBlockPool.BlockBytes + 1));

    [Fact]
    public void Free_blocks_are_bounded()
    {
        IMemoryOwner<byte>[] many = [.. Enumerable.Range(0, 300).Select(_ => _pool.Rent())];
        foreach (IMemoryOwner<byte> block in many)
        {
            block.Dispose();
        }

        IMemoryOwner<byte>[] again = [.. Enumerable.Range(0, 300).Select(_ => _pool.Rent())];
        Assert.Equal(256, again.Intersect(many).Count());
    }
}
