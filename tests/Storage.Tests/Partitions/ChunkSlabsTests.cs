using Pillarbox.Storage.Partitions;

namespace Pillarbox.Storage.Tests.Partitions;

/// <summary>Memory for chunks: nobody's bytes are another's, and what one size leaves serves the others.</summary>
public sealed class ChunkSlabsTests
{
    private const int Unit = ChunkSlab.UnitBytes;

    [Fact]
    public void Parts_do_not_overlap_and_all_of_it_comes_back()
    {
        var random = new Random(7);
        var slabs = new ChunkSlabs();
        var rented = new List<(SlabPart Part, int Bytes)>();
        for (int i = 0; i < 20_000; i++)
        {
            if (rented.Count < 200 && random.Next(2) == 0)
            {
                int bytes = Unit << random.Next(7);
                SlabPart part = slabs.Rent(bytes);
                Assert.Equal(0, part.Offset % bytes);
                Assert.DoesNotContain(rented, other => Overlaps(other, (part, bytes)));
                rented.Add((part, bytes));
            }
            else if (rented.Count > 0)
            {
                int at = random.Next(rented.Count);
                slabs.Return(rented[at].Part, rented[at].Bytes);
                rented.RemoveAt(at);
            }

            Assert.True(slabs.Bytes >= rented.Sum(each => (long)each.Bytes));
        }

        rented.ForEach(each => slabs.Return(each.Part, each.Bytes));
        // A burst of one size uses what the mixture has left, and no more.
        long kept = slabs.Bytes;
        SlabPart[] whole = [.. Enumerable.Range(0, (int)(kept / ChunkSlab.SlabBytes)).Select(_ =>
            slabs.Rent(ChunkSlab.SlabBytes))];
        Assert.Equal(kept, slabs.Bytes);
        Assert.Equal(whole.Length, whole.Select(part => part.Slab).Distinct().Count());
    }

    [Fact]
    public void Sixteen_small_ones_share_what_one_large_one_takes()
    {
        var slabs = new ChunkSlabs();
        SlabPart[] small = [.. Enumerable.Range(0, 16).Select(_ => slabs.Rent(4 * Unit))];
        Assert.Equal(ChunkSlab.SlabBytes, slabs.Bytes);
        Assert.All(small, part => slabs.Return(part, 4 * Unit));
        SlabPart large = slabs.Rent(ChunkSlab.SlabBytes);
        Assert.Same(small[0].Slab, large.Slab);
        Assert.Equal(ChunkSlab.SlabBytes, slabs.Bytes);
    }

    [Fact]
    public void What_a_burst_has_taken_is_let_go_little_by_little()
    {
        var slabs = new ChunkSlabs();
        SlabPart[] burst = [.. Enumerable.Range(0, 100).Select(_ => slabs.Rent(ChunkSlab.SlabBytes))];
        Assert.All(burst, part => slabs.Return(part, ChunkSlab.SlabBytes));
        Assert.InRange(slabs.Bytes, 50 * ChunkSlab.SlabBytes, 100 * ChunkSlab.SlabBytes);
        for (int i = 0; i < 5_000; i++)
        {
            slabs.Return(slabs.Rent(Unit), Unit);
        }

        Assert.InRange(slabs.Bytes, 0, 3 * ChunkSlab.SlabBytes);
    }

    private static bool Overlaps((SlabPart Part, int Bytes) a, (SlabPart Part, int Bytes) b) =>
        a.Part.Slab == b.Part.Slab && a.Part.Offset < b.Part.Offset + b.Bytes
        && b.Part.Offset < a.Part.Offset + a.Bytes;
}
