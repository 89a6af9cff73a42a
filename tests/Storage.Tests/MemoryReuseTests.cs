namespace Pillarbox.Storage.Tests;

/// <summary>Memory of the log is asked for once, and let go when it is not wanted any more.</summary>
public sealed class MemoryReuseTests
{
    private const int BlockBytes = 4096;
    private const int Burst = 64;

    private readonly BlockPool _pool = new(BlockBytes, readBytes: 1024);

    // As when a segment is reclaimed: all of its blocks come back at once.
    [Fact]
    public void Blocks_that_come_back_in_a_burst_serve_the_next_one()
    {
        HashSet<byte[]> first = RentAndReturnBurst();
        for (int round = 0; round < 3; round++)
        {
            Assert.True(RentAndReturnBurst().IsSubsetOf(first));
        }
    }

    [Fact]
    public void Blocks_of_a_busy_time_are_let_go_little_by_little()
    {
        HashSet<byte[]> first = RentAndReturnBurst();
        for (int i = 0; i < 20_000; i++)
        {
            _pool.Return(_pool.Rent(BlockBytes));
        }
        Assert.InRange(RentAndReturnBurst().Count(first.Contains), 1, 12);
    }

    [Fact]
    public void Odd_sizes_are_not_kept()
    {
        byte[] odd = _pool.Rent(BlockBytes + 1);
        _pool.Return(odd);
        Assert.NotSame(odd, _pool.Rent(BlockBytes + 1));
    }

    [Fact]
    public void A_batch_keeps_the_buffer_that_its_passes_need()
    {
        var batch = new LogBatch();
        Fill(batch, 1_500_000);
        int bytes = batch.Buffer.Length;
        for (int i = 0; i < 10_000; i++)
        {
            batch.Clear();
            Fill(batch, i % 1000 == 0 ? 1_500_000 : 10);
            Assert.Equal(bytes, batch.Buffer.Length);
        }
    }

    [Fact]
    public void A_batch_lets_go_of_a_buffer_that_it_does_not_need_any_more()
    {
        var batch = new LogBatch();
        Fill(batch, 1_500_000);
        for (int i = 0; i < 10_000; i++)
        {
            batch.Clear();
            Fill(batch, 10);
        }
        Assert.InRange(batch.Buffer.Length, 1, 64 << 10);
    }

    [Fact]
    public void A_batch_lets_go_of_a_huge_buffer_at_once()
    {
        var batch = new LogBatch();
        Fill(batch, 5 << 20);
        batch.Clear();
        Assert.InRange(batch.Buffer.Length, 1, 64 << 10);
    }

    private static void Fill(LogBatch batch, int bytes)
    {
        batch.Begin(1);
        batch.Write(new byte[bytes]);
        batch.End();
    }

    private HashSet<byte[]> RentAndReturnBurst()
    {
        byte[][] blocks = [.. Enumerable.Range(0, Burst).Select(_ => _pool.Rent(BlockBytes))];
        foreach (byte[] block in blocks)
        {
            _pool.Return(block);
        }
        return new HashSet<byte[]>(blocks, ReferenceEqualityComparer.Instance);
    }
}
