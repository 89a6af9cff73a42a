using Pillarbox.Broker.Journal;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>Reads messages for the connection that writes them out.</summary>
internal sealed class MessageReader(BrokerServices services)
{
    public bool TryRead(in Delivery delivery, out MessageLease lease)
    {
        if (!services.LogOf(delivery.Durable).TryRead(delivery.Position, out LogLease record))
        {
            lease = default;
            return false;
        }

        lease = Open(delivery, record);
        return true;
    }

    public async ValueTask<MessageLease> ReadAsync(Delivery delivery, CancellationToken cancellation)
    {
        LogLease record = await services.LogOf(delivery.Durable).ReadAsync(delivery.Position, cancellation).ConfigureAwait(false);
        return Open(delivery, record);
    }

    private MessageLease Open(in Delivery delivery, in LogLease record)
    {
        if (record.Type is not (RecordKind.Message or RecordKind.Relocated) ||
            !MessageRecord.TryRead(record.Span, out StoredMessage message))
        {
            LogLease bad = record;
            bad.Dispose();
            throw new DamagedRecordException(delivery.Position, "it is not a message record");
        }

        Origin? origin = message.Origin.IsEmpty ? null : OriginField.Read(message.Origin);
        LargeBody? large = message.IsLarge ? new BlobBody(services.Blobs.OpenRead(message.BlobId)) : null;
        return new MessageLease(message.Header, record.Memory[message.PayloadOffset..], record, large, origin);
    }
}

/// <summary>A large body in its file.</summary>
internal sealed class BlobBody(BlobReader reader) : LargeBody
{
    public override long Length => reader.Length;

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation) =>
        reader.ReadAsync(offset, buffer, cancellation);

    public override void Dispose() => reader.Dispose();
}
