using System.Buffers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>A message that comes in pieces: in memory up to the limit, then in a file.</summary>
internal sealed class LargeUpload(BrokerClient client, BrokerServices services, Producer producer) : LargePublish
{
    private readonly ArrayBufferWriter<byte> _memory = new();
    private BlobWriter? _blob;
    private long _length;
    private BrokerException? _refusal;

    public override long Length => _length;

    public override bool Append(in ReadOnlySequence<byte> piece)
    {
        _length += piece.Length;
        if (_refusal is not null)
        {
            return true;
        }

        try
        {
            Write(piece);
        }
        catch (StorageException e)
        {
            Refuse(e);
        }

        return true;
    }

    private void Write(in ReadOnlySequence<byte> piece)
    {
        if (_blob is null && _length > services.Options.LargeMessageBytesMin)
        {
            _blob = services.Blobs.Create();
            _blob.Write(_memory.WrittenSpan);
            _memory.Clear();
        }

        foreach (ReadOnlyMemory<byte> part in piece)
        {
            if (_blob is not null)
            {
                _blob.Write(part.Span);
            }
            else
            {
                _memory.Write(part.Span);
            }
        }
    }

    // The rest of the message is taken off the connection and dropped; its sender hears why.
    private void Refuse(StorageException fault)
    {
        BrokerError error = fault is StorageFullException ? BrokerError.ResourceLimitExceeded : BrokerError.Unavailable;
        _refusal = new BrokerException(error, fault.Message);
        Abort();
    }

    public override ValueTask ReadyAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    public override void Complete(in MessageHeader header, ulong tag, string? to = null,
        Transaction? transaction = null)
    {
        try
        {
            _blob?.Complete();
        }
        catch (StorageException e)
        {
            Refuse(e);
        }

        if (_refusal is not null)
        {
            client.RefusePublish(producer, tag, _refusal, transaction);
            return;
        }

        if (_blob is null)
        {
            client.Publish(producer, header, new ReadOnlySequence<byte>(_memory.WrittenMemory), tag, to, transaction);
            return;
        }

        MessageHead head = new()
        {
            Header = header,
            BlobId = _blob.Id,
            BlobBytes = _length,
            Publisher = client.PublisherHash
        };
        client.PublishHead(producer, head, default, _length, tag, to, transaction);
        _blob.Dispose();
    }

    public override void Abort()
    {
        try
        {
            _blob?.Dispose();
        }
        catch (StorageException)
        {
            // Unfinished files are deleted at the next start.
        }

        _blob = null;
        _memory.Clear();
    }
}
