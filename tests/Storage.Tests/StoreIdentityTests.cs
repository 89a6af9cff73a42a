using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

public sealed class StoreIdentityTests
{
    private const string Directory = "data";

    [Fact]
    public void A_directory_keeps_its_number_and_another_has_another()
    {
        var files = Make();
        long first = StoreIdentity.Open(files, Directory, new SeededRandom(1));
        Assert.Equal(first, StoreIdentity.Open(files, Directory, new SeededRandom(2)));
        Assert.NotEqual(first, StoreIdentity.Open(Make(), Directory, new SeededRandom(3)));
    }

    [Fact]
    public void A_damaged_number_is_drawn_anew_and_kept()
    {
        var files = Make();
        long first = StoreIdentity.Open(files, Directory, new SeededRandom(1));
        using (IFile file = files.Open(Directory + "/" + StoreIdentity.FileName, FileOpening.ReadWrite))
        {
            file.Write(20, [0x5a]);
        }

        long second = StoreIdentity.Open(files, Directory, new SeededRandom(2));
        Assert.NotEqual(first, second);
        Assert.Equal(second, StoreIdentity.Open(files, Directory, new SeededRandom(3)));
    }

    [Fact]
    public void A_disk_that_does_not_take_it_does_not_keep_the_node_from_starting()
    {
        var files = new FaultyFileSystem(Make(), new FileFaults { WriteFailure = 1 }, new SeededRandom(5));
        long first = StoreIdentity.Open(files, Directory, new SeededRandom(1));
        Assert.NotEqual(first, StoreIdentity.Open(files, Directory, new SeededRandom(2)));
    }

    private static MemoryFileSystem Make()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory(Directory);
        return files;
    }
}
