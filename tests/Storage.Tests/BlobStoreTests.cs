using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

public sealed class BlobStoreTests
{
    private readonly MemoryFileSystem _files = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65536)]
    [InlineData(65537)]
    [InlineData(3_000_000)]
    public async Task AnyStretchOfABlobCanBeRead(int length)
    {
        byte[] content = new byte[length];
        new SeededRandom(3).Fill(content);
        using BlobStore store = BlobStore.Open(_files, "large");
        long id = Write(store, content);
        using BlobReader reader = store.OpenRead(id);
        Assert.Equal(length, reader.Length);
        var random = new SeededRandom(4);
        for (int i = 0; i < 50; i++)
        {
            int offset = random.Next(length + 1);
            byte[] buffer = new byte[random.Next(200_000)];
            int count = await reader.ReadAsync(offset, buffer, TestContext.Current.CancellationToken);
            Assert.Equal(Math.Min(buffer.Length, length - offset), count);
            Assert.True(content.AsSpan(offset, count).SequenceEqual(buffer.AsSpan(0, count)));
        }
    }

    [Fact]
    public async Task ADamagedChunkIsFoundAndTheOthersAreRead()
    {
        using BlobStore store = BlobStore.Open(_files, "large");
        long id = Write(store, new byte[200_000]);
        Bits.Flip(_files, "large/0000000000000001.blob", 70_000, 2);
        using BlobReader reader = store.OpenRead(id);
        byte[] buffer = new byte[1000];
        Assert.Equal(1000, await reader.ReadAsync(0, buffer, TestContext.Current.CancellationToken));
        StorageException error = await Assert.ThrowsAsync<StorageException>(
            async () => await reader.ReadAsync(69_000, buffer, TestContext.Current.CancellationToken));
        Assert.Contains("0000000000000001.blob is damaged", error.Message, StringComparison.Ordinal);
        Assert.Equal(1000, await reader.ReadAsync(199_000, buffer, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void IdsAreNeverUsedAgain()
    {
        var seen = new HashSet<long>();
        for (int run = 0; run < 3; run++)
        {
            using BlobStore store = BlobStore.Open(_files, "large");
            for (int i = 0; i < 1500; i++)
            {
                using BlobWriter writer = store.Create();
                Assert.True(seen.Add(writer.Id));
                if (i % 10 == 0)
                {
                    writer.Complete();
                    store.Delete(writer.Id);
                }
            }
        }
    }

    [Fact]
    public void LostIdsAreJumpedOver()
    {
        using (BlobStore store = BlobStore.Open(_files, "large"))
        {
            Write(store, [1]);
        }

        _files.Delete("large/reserved.ids");
        using BlobStore again = BlobStore.Open(_files, "large");
        using BlobWriter writer = again.Create();
        Assert.True(writer.Id > 1_000_000);
    }

    [Fact]
    public void UnfinishedBlobsAreGoneAndFinishedOnesAreListed()
    {
        using (BlobStore store = BlobStore.Open(_files, "large"))
        {
            Write(store, new byte[100]);
            Write(store, new byte[100]);
            BlobWriter crashed = store.Create();
            crashed.Write(new byte[100_000]);
        }

        using BlobStore again = BlobStore.Open(_files, "large");
        Assert.Equal([1, 2], again.ListIds());
        Assert.Empty(_files.List("large", ".part"));
        again.Delete(1);
        again.Delete(1);
        Assert.Equal([2], again.ListIds());
        Assert.Throws<StorageException>(() => again.OpenRead(1));
    }

    [Fact]
    public void AFullDiskIsSaidAndLeavesNothing()
    {
        var faults = new FileFaults { CapacityBytes = 150_000 };
        var files = new FaultyFileSystem(_files, faults, new SeededRandom(1));
        using BlobStore store = BlobStore.Open(files, "large");
        using (BlobWriter writer = store.Create())
        {
            Assert.Throws<StorageFullException>(() => writer.Write(new byte[300_000]));
        }

        Assert.Empty(store.ListIds());
        Assert.Equal(["reserved.ids"], _files.List("large", ""));
    }

    private static long Write(BlobStore store, byte[] content)
    {
        using BlobWriter writer = store.Create();
        foreach (byte[] part in content.Chunk(10_000))
        {
            writer.Write(part);
        }

        writer.Complete();
        return writer.Id;
    }
}
