using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Tests;

/// <summary>Memory for items on their way is allocated once for a busy time, and let go after it.</summary>
public sealed class RoomTests
{
    [Fact]
    public void What_a_busy_time_needs_is_allocated_once()
    {
        HashSet<Busy[]> seen = [];
        for (int burst = 0; burst < 20; burst++)
        {
            seen.UnionWith(Burst<Busy>(200));
        }

        Assert.InRange(seen.Count, 200, 400);
    }

    [Fact]
    public void It_is_let_go_when_that_is_over()
    {
        HashSet<Idle[]> first = [.. Burst<Idle>(200)];
        for (int use = 0; use < 200_000; use++)
        {
            Burst<Idle>(2);
        }

        Assert.InRange(Burst<Idle>(200).Count(first.Contains), 2, 12);
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(16, 16)]
    [InlineData(17, 32)]
    [InlineData(20_000, 32_768)]
    public void Lengths_are_powers_of_two(int items, int length) =>
        Assert.Equal(length, Room<Other>.Rent(items).Length);

    [Fact]
    public void A_ring_keeps_its_order_while_it_grows_and_is_emptied()
    {
        var ring = new Ring<int>();
        var model = new Queue<int>();
        var random = new Model.SeededRandom(3);
        for (int step = 0; step < 20_000; step++)
        {
            bool isBusy = step / 2000 % 2 == 0;
            if (random.Next(10) < (isBusy ? 7 : 3))
            {
                ring.Add() = step + 1;
                model.Enqueue(step + 1);
            }
            else if (model.Count > 0)
            {
                Assert.Equal(model.Dequeue(), ring[0]);
                ring.RemoveOldest();
            }

            Assert.Equal(model.Count, ring.Count);
        }

        while (model.Count > 0)
        {
            Assert.Equal(model.Dequeue(), ring[0]);
            ring.RemoveOldest();
        }

        // Whoever gets the arrays next finds them empty.
        foreach (int[] items in new[] { 256, 512, 1024, 2048 }.Select(Room<int>.Rent))
        {
            Assert.All(items, item => Assert.Equal(0, item));
        }
    }

    [Fact]
    public void What_is_collected_and_handed_over_comes_in_order_and_leaves_nothing_behind()
    {
        var buffer = new Buffer<Handed>();
        var inbox = new Inbox<Handed>();
        Handed[] taken = [];
        for (int round = 0; round < 50; round++)
        {
            for (int i = 0; i < round * 13; i++)
            {
                ref Handed item = ref buffer.Add();
                Assert.Null(item.What);
                item.What = $"{round}/{i}";
            }

            inbox.Add(buffer.Span);
            buffer.Clear();
            Assert.Equal(round > 0, inbox.TryTake(ref taken, out int count));
            Assert.Equal(Enumerable.Range(0, round * 13).Select(i => $"{round}/{i}"),
                taken.Take(count).Select(item => item.What));
            taken.AsSpan(0, count).Clear();
        }

        Inbox<Handed>.GiveBack(ref taken);
        Assert.Empty(taken);
    }

    [Fact]
    public void Chunks_of_a_backlog_that_comes_again_are_the_same_ones()
    {
        var pool = new ChunkPool();
        EntryChunk[] chunks = [.. Enumerable.Range(0, 500).Select(_ => Full(pool.Rent()))];
        foreach (EntryChunk chunk in chunks[..250])
        {
            pool.Return(chunk);
        }

        Assert.All(Enumerable.Range(0, 250), _ => Assert.Contains(pool.Rent(), chunks));
        foreach (EntryChunk chunk in chunks)
        {
            pool.Return(chunk);
        }

        Assert.Equal(32, Enumerable.Range(0, 500).Count(_ => chunks.Contains(pool.Rent())));
    }

    private static EntryChunk Full(EntryChunk chunk)
    {
        chunk.Entries = new QueueEntry[EntryList.ChunkEntries];
        return chunk;
    }

    private static List<T[]> Burst<T>(int arrays)
    {
        List<T[]> rented = [.. Enumerable.Range(0, arrays).Select(_ => Room<T>.Rent(100))];
        rented.ForEach(Room<T>.Return);
        return rented;
    }

    private struct Busy;

    private struct Idle;

    private struct Other;

    private struct Handed
    {
        public string? What;
    }
}
