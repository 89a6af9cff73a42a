using System.Text;
using Pillarbox.Model;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Storage.Tests.Quarantine;

public sealed class QuarantineStoreTests
{
    private const string Folder = "data/quarantine";
    private readonly MemoryFileSystem _files = new();

    [Fact]
    public void What_is_kept_is_there_after_a_restart_with_its_note()
    {
        QuarantineEntry kept = Open().Keep(Origin("journal/1.seg", 77) with { Queue = "q", MessageId = 5 }, "abc"u8);
        QuarantineStore again = Open();
        QuarantineEntry found = Assert.Single(again.List());
        Assert.Equal(kept, found);
        Assert.Equal((1, 3, 77, "q", 5), (
            found.Id, found.Bytes, found.Origin.Position, found.Origin.Queue, found.Origin.MessageId));
        Assert.Equal("abc", Text(again, found.Id));
        Assert.Equal(2, again.Keep(Origin("other", 0), "x"u8).Id);
    }

    [Fact]
    public void The_same_bytes_of_the_same_place_are_kept_once()
    {
        QuarantineStore store = Open();
        Assert.Equal(1, store.Keep(Origin("a", 1), "abc"u8).Id);
        Assert.Equal(1, Open().Keep(Origin("a", 1), "abc"u8).Id);
        Assert.Equal(2, Open().Keep(Origin("a", 1), "abd"u8).Id);
        Assert.Equal(3, Open().Keep(Origin("a", 2), "abc"u8).Id);
    }

    [Fact]
    public void The_oldest_go_first_and_are_counted()
    {
        QuarantineStore store = Open(new QuarantineLimits { EntriesMax = 3 });
        for (int i = 0; i < 5; i++)
        {
            store.Keep(Origin("a", i), "abc"u8);
        }

        Assert.Equal([3, 4, 5], store.List().Select(entry => entry.Id));
        Assert.Equal((2, 9), (store.DroppedTotal, store.Bytes));
        Assert.Equal(3, _files.List(Folder, "").Length);

        store = Open(new QuarantineLimits { BytesMax = 7 });
        store.Keep(Origin("b", 0), "0123456789"u8);
        Assert.Equal([6], store.List().Select(entry => entry.Id));
        Assert.Equal("0123456789", Text(store, 6));
    }

    [Fact]
    public void Copies_are_cut_at_their_limit()
    {
        QuarantineStore store = Open(new QuarantineLimits { CopiedBytesMax = 4 });
        QuarantineEntry entry = store.Keep(Origin("a", 0), "0123456789"u8);
        Assert.Equal((4, "0123"), (entry.Bytes, Text(store, entry.Id)));
    }

    [Fact]
    public void A_file_is_moved_whole()
    {
        using (IFile file = _files.Open("data/snapshots/x.snap.damaged", FileOpening.CreateNew))
        {
            file.Write(0, "all of it"u8);
        }

        QuarantineEntry entry = Open().Take(Origin("snapshots/x.snap", 0), "data/snapshots/x.snap.damaged");
        Assert.Empty(_files.List("data/snapshots", ""));
        Assert.Equal("all of it", Text(Open(), entry.Id));
        Assert.True(Open().Drop(entry.Id));
        Assert.False(Open().Drop(entry.Id));
        Assert.Empty(_files.List(Folder, ""));
    }

    [Fact]
    public void A_note_whose_file_did_not_come_is_forgotten_and_bytes_without_a_note_too()
    {
        QuarantineStore store = Open();
        using (IFile file = _files.Open("data/f", FileOpening.CreateNew))
        {
            file.Write(0, "bytes"u8);
        }

        QuarantineEntry entry = store.Take(Origin("f", 0), "data/f");
        string bytes = _files.List(Folder, ".bytes")[0];
        _files.Rename($"{Folder}/{bytes}", "data/f");
        Assert.Empty(Open().List());
        Assert.Empty(_files.List(Folder, ""));
        _files.Rename("data/f", $"{Folder}/{bytes}");
        store = Open();
        Assert.Empty(_files.List(Folder, ""));
        Assert.True(store.Keep(Origin("f", 0), "x"u8).Id > entry.Id);
    }

    [Fact]
    public void A_damaged_note_costs_the_note_and_not_the_bytes()
    {
        QuarantineEntry entry = Open().Keep(Origin("a", 0), "the bytes"u8);
        string path = $"{Folder}/{_files.List(Folder, ".entry")[0]}";
        for (int at = 0; at < _files.DataOf(path).Length - 9; at++)
        {
            // A version that is not known yet stops the node instead; the checksum of the header stands in front.
            Bits.Flip(_files, path, at, 1);
            QuarantineEntry found = Assert.Single(Open().List());
            Assert.Equal(entry.Id, found.Id);
            Assert.EndsWith("the bytes", Text(Open(), found.Id), StringComparison.Ordinal);
            Bits.Flip(_files, path, at, 1);
        }
    }

    [Fact]
    public void A_full_disk_keeps_nothing_and_leaves_nothing()
    {
        var full = new FaultyFileSystem(_files, new FileFaults { CapacityBytes = 300 }, new SeededRandom(1));
        QuarantineStore store = QuarantineStore.Open(full, Folder);
        Assert.ThrowsAny<StorageException>(() => store.Keep(Origin("a", 0), new byte[4000]));
        Assert.Empty(store.List());
        Assert.Empty(Open().List());
    }

    private static QuarantineOrigin Origin(string file, long position) =>
        new() { Source = "journal", File = file, Position = position, Reason = "its checksum is wrong" };

    private static string Text(QuarantineStore store, long id)
    {
        using QuarantineBytes bytes = store.OpenBytes(id)!;
        byte[] buffer = new byte[bytes.Length + 1];
        Assert.Equal(bytes.Length, bytes.Read(0, buffer));
        return Encoding.UTF8.GetString(buffer.AsSpan(0, (int)bytes.Length));
    }

    private QuarantineStore Open(QuarantineLimits? limits = null) => QuarantineStore.Open(_files, Folder, limits);
}
