using System.Buffers;
using System.Collections.Concurrent;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>What crosses from one owner of links to another.</summary>
internal enum RoutedEventKind : byte
{
    /// <summary>A delivery for one of the owner's outlets.</summary>
    Delivery,

    /// <summary>A further piece of one.</summary>
    Part,

    /// <summary>The sender gave one up.</summary>
    Abort,

    /// <summary>The sender states an outcome, or settles.</summary>
    SenderState,

    /// <summary>Back to the sender's link: the receiver states an outcome, or settles.</summary>
    ReceiverState,

    /// <summary>Back to the sender's link: pieces were written.</summary>
    Consumed,

    /// <summary>An address has got its first destination, or lost its last.</summary>
    Destinations,

    /// <summary>A control message for another router.</summary>
    Control,

    /// <summary>Something that the subject does itself.</summary>
    Call,

    /// <summary>A link is to look for deliveries that are unsettled for long.</summary>
    Inspect,

    /// <summary>A timer has fired.</summary>
    Tick,
}

/// <summary>One crossing.</summary>
internal readonly record struct RoutedEvent(RoutedEventKind Kind, object Subject)
{
    /// <summary>Which use of the delivery's object it is about.</summary>
    public int Generation { get; init; }

    /// <summary>A delivery state, a piece of a message, or a control message.</summary>
    public byte[]? Bytes { get; init; }

    /// <summary>Bytes of a piece; or how many pieces.</summary>
    public int Count { get; init; }

    /// <summary>Settled; the last piece; there are destinations.</summary>
    public bool Flag { get; init; }
}

/// <summary>A piece of a message that is longer than a frame; its array is of the shared pool.</summary>
internal readonly record struct RoutedPart(byte[] Bytes, int Length, bool IsLast);

/// <summary>
/// Where an owner of links takes what others hand over: any thread posts, the owner drains. A poster wakes the owner
/// once for all that it posted. After the owner's end what comes is given back.
/// </summary>
internal sealed class RoutedInbox(IWakeable owner)
{
    private readonly ConcurrentQueue<RoutedEvent> _events = new();
    private volatile bool _isClosed;

    public bool IsEmpty => _events.IsEmpty;

    /// <summary>Whether the owner has ended.</summary>
    public bool IsClosed => _isClosed;

    public void Post(in RoutedEvent crossing)
    {
        _events.Enqueue(crossing);
        if (_isClosed)
        {
            GiveBack();
        }
    }

    public bool TryTake(out RoutedEvent crossing) => _events.TryDequeue(out crossing);

    public void Wake() => owner.Wake();

    /// <summary>The owner has ended.</summary>
    public void Close()
    {
        _isClosed = true;
        GiveBack();
    }

    private void GiveBack()
    {
        while (_events.TryDequeue(out RoutedEvent crossing))
        {
            if (crossing.Kind == RoutedEventKind.Delivery)
            {
                var delivery = (RoutedDelivery)crossing.Subject;
                delivery.FreeRented();
                delivery.Conclude(RoutedState.Released).Wake();
            }
            else if (crossing.Kind == RoutedEventKind.Part)
            {
                ArrayPool<byte>.Shared.Return(crossing.Bytes!);
            }
            else if (crossing.Kind == RoutedEventKind.Call)
            {
                ((IRoutedCall)crossing.Subject).OnGone(crossing);
            }
        }
    }
}
