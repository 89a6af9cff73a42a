using Pillarbox.Broker.Journal;

namespace Pillarbox.Broker.Tests.Journal;

public sealed class LargeBodiesTests
{
    [Fact]
    public void A_file_goes_with_its_last_reference_under_whatever_message_it_was()
    {
        LargeBodies bodies = new();
        bodies.Add(id: 1, inJournal: true, blobId: 10, references: 2);
        bodies.Add(id: 2, inJournal: true, blobId: 20, references: 1);
        // Moved to the dead letters: another message, the same file.
        bodies.Add(id: 3, inJournal: true, blobId: 10, references: 1);
        Assert.False(bodies.Release(10));
        Assert.False(bodies.Release(10));
        Assert.Equal(10, bodies.BlobOf(1, inJournal: true));
        Assert.True(bodies.Release(10));
        Assert.Equal([0, 20, 0], new long[] { 1, 2, 3 }.Select(id => bodies.BlobOf(id, inJournal: true)));
        Assert.Equal([20], bodies.Blobs);
    }

    [Fact]
    public void What_recovery_noted_goes_with_the_file_too()
    {
        LargeBodies bodies = new();
        bodies.Note(id: 1, blobId: 10);
        bodies.Note(id: 2, blobId: 10);
        bodies.Add(id: 1, inJournal: true, blobId: 10, references: 1);
        Assert.True(bodies.Release(10));
        Assert.Equal(0, bodies.BlobOf(2, inJournal: true));
    }
}
