using System.Buffers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>A message that comes in pieces: in memory up to so many bytes, then in a file.</summary>
internal sealed class LargeUpload(BrokerClient client, BrokerServices services, Producer producer, int memoryBytesMax)
    : LargePublish
{
    private readonly ArrayBufferWriter<byte> _memory = new();
    private BlobUpload? _blob;
    private long _length;

    public override long Length => _length;

    public override bool Append(in ReadOnlySequence<byte> piece)
    {
        _length += piece.Length;
        bool mayGoOn = true;
        if (_blob is null && _length > memoryBytesMax)
        {
            _blob = new BlobUpload(services.Blobs, services.Options.OwnThreads);
            mayGoOn = _blob.Add(_memory.WrittenSpan);
            _memory.Clear();
        }

        foreach (ReadOnlyMemory<byte> part in piece)
        {
            if (_blob is not null)
            {
                mayGoOn = _blob.Add(part.Span);
            }
            else
            {
                _memory.Write(part.Span);
            }
        }

        return mayGoOn;
    }

    public override bool Finish() => _blob?.Finish() ?? true;

    public override ValueTask ReadyAsync(CancellationToken cancellation) =>
        _blob is null ? ValueTask.CompletedTask : new ValueTask(_blob.ReadyAsync());

    public override BrokerException? Complete(in MessageHeader header, ulong tag, string? to = null,
        Transaction? transaction = null)
    {
        if (_blob is null)
        {
            return client.Publish(
                producer, header, new ReadOnlySequence<byte>(_memory.WrittenMemory), tag, to, transaction);
        }

        Invariant.That(_blob.IsDone);
        if (_blob.Fault is { } fault)
        {
            // The rest of the message was taken off the connection and dropped; its sender hears why.
            BrokerError error =
                fault is StorageFullException ? BrokerError.ResourceLimitExceeded : BrokerError.Unavailable;
            var refusal = new BrokerException(error, fault.Message);
            client.RefusePublish(producer, tag, refusal, transaction);
            return refusal;
        }

        MessageHead head = new()
        {
            Header = header,
            BlobId = _blob.Id,
            BlobBytes = _length,
            Publisher = producer.PublisherHash,
        };
        _blob = null;
        return client.PublishHead(producer, head, default, _length, tag, to, transaction);
    }

    public override void Abort()
    {
        _blob?.Abort();
        _blob = null;
        _memory.Clear();
    }
}
