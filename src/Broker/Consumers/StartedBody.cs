using Pillarbox.Broker.Journal;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>A large body whose first bytes have been replaced: what consumers noted on the message stands in front of
/// what the file holds.</summary>
internal sealed class StartedBody(LargeBody file, ReadOnlyMemory<byte> start, long replaced) : LargeBody
{
    /// <summary>The body of a large message. Throws <see cref="DamagedRecordException"/> with the position of its
    /// record.</summary>
    public static LargeBody Open(BlobStore blobs, in StoredMessage message, long position)
    {
        try
        {
            var file = new BlobBody(blobs.OpenRead(message.BlobId), position);
            return message.BodyStart.IsEmpty
                ? file
                : new StartedBody(file, message.BodyStart.ToArray(), message.BodyReplaced);
        }
        catch (StorageException error)
        {
            throw new DamagedRecordException(position, error.Message);
        }
    }

    public override long Length => start.Length + file.Length - replaced;

    public override async ValueTask<int> ReadAsync(
        long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        int total = 0;
        if (offset < start.Length)
        {
            total = (int)Math.Min(start.Length - offset, buffer.Length);
            start.Slice((int)offset, total).CopyTo(buffer);
        }

        if (total < buffer.Length)
        {
            long at = offset + total - start.Length + replaced;
            total += await file.ReadAsync(at, buffer[total..], cancellation).ConfigureAwait(false);
        }

        return total;
    }

    public override void Dispose() => file.Dispose();
}
