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

    public override long Length => _length;

    public override bool Append(in ReadOnlySequence<byte> piece)
    {
        _length += piece.Length;
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

        return true;
    }

    public override ValueTask ReadyAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    public override void Complete(in MessageHeader header, ulong tag, string? to = null,
        Transaction? transaction = null)
    {
        if (_blob is null)
        {
            client.Publish(producer, header, new ReadOnlySequence<byte>(_memory.WrittenMemory), tag, to, transaction);
            return;
        }

        _blob.Complete();
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
        _blob?.Dispose();
        _blob = null;
        _memory.Clear();
    }
}
