using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// A message of the network that comes to the broker in pieces. Its beginning stays in memory until the broker can read
/// what it must; from there on it goes where large messages of this node's own clients go, onto the disk. While the
/// disk is behind, the sender is not told that its pieces are taken, and so sends no more. Owned by the port's loop.
/// </summary>
/// <param name="port">The broker's place in the network.</param>
/// <param name="delivery">The message on its way.</param>
/// <param name="producer">Who publishes it when it is small.</param>
/// <param name="beginLarge">Begins its file when it is not.</param>
internal sealed class BrokerUpload(
    BrokerPort port, RoutedDelivery delivery, Producer producer, Func<LargePublish> beginLarge)
{
    private readonly ArrayBufferWriter<byte> _head = new();
    private LargePublish? _large;
    private MessageHeader _header;
    private Task? _behind;
    private int _piecesOwed;
    private bool _isEnding;

    /// <summary>Bytes so far.</summary>
    public long Length { get; private set; }

    /// <summary>Whether it is whole, and where it is to be: it may be published.</summary>
    public bool IsWhole => _isEnding && _behind is null;

    /// <summary>Adds bytes. Errors: decode-error.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (_large is null)
        {
            _head.Write(bytes);
            if (_head.WrittenCount > port.Options.AssembleBytesMax)
            {
                Begin();
            }
        }
        else if (!_large.Append(new ReadOnlySequence<byte>(bytes.ToArray())))
        {
            Await();
        }
    }

    /// <summary>A piece was taken out of the sender's hands.</summary>
    public void Took()
    {
        _piecesOwed++;
        TellTaken();
    }

    /// <summary>That was all.</summary>
    public void End()
    {
        _isEnding = true;
        if (_large?.Finish() == false)
        {
            Await();
        }
    }

    /// <summary>The disk may have caught up.</summary>
    public void Look()
    {
        if (_behind is { IsCompleted: true })
        {
            _behind = null;
            TellTaken();
        }
    }

    /// <summary>Publishes it, after <see cref="IsWhole"/>. Errors: decode-error.</summary>
    public void Publish()
    {
        if (_large is null)
        {
            port.Publish(producer, delivery, _head.WrittenMemory);
            return;
        }

        LargePublish large = _large;
        _large = null;
        large.Complete(_header, port.TagOf(delivery));
    }

    /// <summary>Forgets it.</summary>
    public void Abort()
    {
        _large?.Abort();
        _large = null;
    }

    // What is there by now holds the sections that the node reads; the rest is only passed on.
    private void Begin()
    {
        IncomingMessage read = AmqpMessageMap.Read(_head.WrittenSpan, port.NowMs);
        _header = read.Header;
        _large = beginLarge();
        if (!_large.Append(new ReadOnlySequence<byte>(_head.WrittenMemory[read.PayloadOffset..].ToArray())))
        {
            Await();
        }

        _head.Clear();
    }

    private void Await()
    {
        // One that is done already, and was not looked at, says nothing of what was appended since.
        if (_behind is null or { IsCompleted: true })
        {
            _behind = _large!.ReadyAsync(CancellationToken.None).AsTask();
            _behind.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(port.Wake);
        }
    }

    private void TellTaken()
    {
        if (_behind is null && _piecesOwed > 0)
        {
            port.Traffic.Post(delivery.Source.Inbox, new RoutedEvent(RoutedEventKind.Consumed, delivery)
            {
                Generation = delivery.Generation,
                Count = _piecesOwed,
            });
            _piecesOwed = 0;
        }
    }
}
