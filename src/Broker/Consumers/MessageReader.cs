using System.Runtime.CompilerServices;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Streams.Records;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>Reads messages for the connection that writes them out.</summary>
internal sealed class MessageReader(BrokerServices services) : IDisposable
{
    private readonly PayloadConverter _converter = services.Converter;
    private readonly StretchReader _records = new();

    public bool TryRead(in Delivery delivery, out MessageLease lease)
    {
        if (delivery.IsRecord)
        {
            if (!TryReadRecord(delivery, out lease))
            {
                return false;
            }
        }
        else if (services.LogOf(delivery.Durable).TryRead(delivery.Position, out LogLease record))
        {
            try
            {
                lease = Open(delivery, record);
            }
            catch (DamagedRecordException)
            {
                // The other way tells of it.
                lease = default;
                return false;
            }
        }
        else
        {
            lease = default;
            return false;
        }

        PayloadFormat wanted = delivery.Consumer.Options.Format;
        if (!_converter.IsNeeded(lease.Header.Format, wanted))
        {
            return true;
        }

        if (lease.Large is { } large)
        {
            large.Dispose();
            lease.Dispose();
            lease = default;
            return false;
        }

        lease = _converter.Convert(lease, wanted);
        return true;
    }

    public async ValueTask<MessageLease> ReadAsync(Delivery delivery, CancellationToken cancellation)
    {
        MessageLease lease = delivery.IsRecord
            ? await ReadRecordAsync(delivery).ConfigureAwait(false)
            : await ReadStoredAsync(delivery, cancellation).ConfigureAwait(false);
        PayloadFormat wanted = delivery.Consumer.Options.Format;
        if (!_converter.IsNeeded(lease.Header.Format, wanted))
        {
            return lease;
        }

        return lease.Large is null
            ? _converter.Convert(lease, wanted)
            : await _converter.ConvertLargeAsync(lease, wanted, delivery.Position, cancellation)
                .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _records.Dispose();

    private bool TryReadRecord(in Delivery delivery, out MessageLease lease)
    {
        lease = default;
        long offset = RecordId.Offset(delivery.MessageId);
        if (delivery.Queue.Feed!.PartitionOf(RecordId.Partition(delivery.MessageId)) is not { } partition
            || _records.TryFind(partition, offset, out RecordStretch? stretch) != StretchFound.Here
            || !stretch!.TryGet(offset, out RecordPlace place) || !stretch.TryHold())
        {
            return false;
        }

        lease = Open(delivery, stretch, place);
        return true;
    }

    private static async ValueTask<MessageLease> ReadRecordAsync(Delivery delivery)
    {
        long offset = RecordId.Offset(delivery.MessageId);
        Partition? partition = delivery.Queue.Feed!.PartitionOf(RecordId.Partition(delivery.MessageId));
        RecordStretch? stretch;
        try
        {
            stretch = partition is null ? null
                : await StretchReader.ReadAsync(partition, offset).ConfigureAwait(false);
        }
        catch (StorageException e) when (e is not DamagedRecordException)
        {
            throw new DamagedRecordException(offset, e.Message);
        }

        if (stretch is not null && stretch.TryGet(offset, out RecordPlace place))
        {
            return Open(delivery, stretch, place);
        }

        stretch?.Release();
        throw new DamagedRecordException(offset, "the stream has no such record any more");
    }

    private static MessageLease Open(in Delivery delivery, RecordStretch stretch, in RecordPlace place)
    {
        MessageHeader header = StreamMessages.HeaderOf(place);
        ulong publisher = 0;
        if (StreamRecord.TryParse(stretch.Record(place).Span, out StreamRecord record))
        {
            header = RecordMarks.Complete(header, record, out publisher);
        }

        return new MessageLease(header, delivery.Queue.AddressUtf8, stretch, place) { Publisher = publisher };
    }

    private async ValueTask<MessageLease> ReadStoredAsync(Delivery delivery, CancellationToken cancellation)
    {
        SegmentedLog log = services.LogOf(delivery.Durable);
        LogLease record;
        try
        {
            record = await log.ReadAsync(delivery.Position, cancellation).ConfigureAwait(false);
        }
        catch (DamagedRecordException) when (delivery.Durable)
        {
            long position = await delivery.Queue.Shard.Ask(_ => PlaceOf(delivery))
                .ConfigureAwait(continueOnCapturedContext: !services.Options.OwnThreads);
            if (position == delivery.Position)
            {
                throw;
            }

            record = await log.ReadAsync(position, cancellation).ConfigureAwait(false);
        }

        return Open(delivery, record);
    }

    /// <summary>Where the message is now: the journal's upkeep may have moved it since it was delivered.</summary>
    private static long PlaceOf(Delivery delivery)
    {
        ref QueueEntry entry = ref delivery.Queue.Find(delivery.Priority, delivery.Sequence);
        bool isThere = !Unsafe.IsNullRef(ref entry) && entry.State != EntryState.Removed
            && entry.Id == delivery.MessageId;
        return isThere ? entry.Position : delivery.Position;
    }

    private MessageLease Open(in Delivery delivery, LogLease record)
    {
        try
        {
            if (record.Type is not (RecordKind.Message or RecordKind.Relocated) ||
                !MessageRecord.TryRead(record.Span, out StoredMessage message))
            {
                throw new DamagedRecordException(delivery.Position, "it is not a message record");
            }

            Origin? origin = message.Origin.IsEmpty ? null : OriginField.Read(message.Origin);
            LargeBody? large = message.IsLarge ? StartedBody.Open(services.Blobs, message, delivery.Position) : null;
            return new MessageLease(
                message.Header, record.Memory.Slice(message.AddressOffset, message.Address.Length),
                record.Memory[message.PayloadOffset..], record, large, origin)
            {
                Publisher = message.Publisher,
            };
        }
        catch
        {
            record.Dispose();
            throw;
        }
    }
}

/// <summary>A large body in its file.</summary>
internal sealed class BlobBody(BlobReader reader, long position) : LargeBody
{
    public override long Length => reader.Length;

    public override async ValueTask<int> ReadAsync(
        long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadAsync(offset, buffer, cancellation).ConfigureAwait(false);
        }
        catch (StorageException error)
        {
            throw new DamagedRecordException(position, error.Message);
        }
    }

    public override void Dispose() => reader.Dispose();
}
