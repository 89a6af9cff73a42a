using System.Buffers;
using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>A message of the node's own, and where it goes.</summary>
/// <param name="To">The address, as a client would write it.</param>
/// <param name="Bytes">The bare message: properties, application properties, body.</param>
public readonly record struct ServiceMessage(string To, byte[] Bytes);

/// <summary>
/// Something inside the node that takes messages from the network and may answer each with one. Messages are taken one
/// after the other, on the thread of whoever hands them in.
/// </summary>
public sealed class NetworkService : Outlet, IWakeable, IRoutedSource
{
    /// <summary>Bytes of a message that it takes; longer ones are rejected.</summary>
    public const int MessageBytesMax = 1 << 20;

    private static readonly byte[] TooLong =
        RoutedState.Rejected(AmqpErrorCondition.LinkMessageSizeExceeded, "the message is too long");

    private readonly INetwork _network;
    private readonly Func<ReadOnlyMemory<byte>, ServiceCaller, ServiceMessage?> _answer;
    private readonly Dictionary<RoutedDelivery, ArrayBufferWriter<byte>> _partial = [];
    private int _wakes;

    /// <param name="network">Where answers go.</param>
    /// <param name="answer">Takes a whole message and who sent it; gives the answer or null. Must not throw.</param>
    public NetworkService(INetwork network, Func<ReadOnlyMemory<byte>, ServiceCaller, ServiceMessage?> answer)
    {
        (_network, _answer) = (network, answer);
        Inbox = new RoutedInbox(this);
    }

    /// <inheritdoc/>
    public override OutletPlace Place => OutletPlace.Inside;

    internal override RoutedInbox Inbox { get; }

    RoutedInbox IRoutedSource.Inbox => Inbox;

    /// <inheritdoc/>
    public void Wake()
    {
        // One at a time: who wakes while another drains leaves its wake to that one.
        if (Interlocked.Increment(ref _wakes) != 1)
        {
            return;
        }

        int seen = 1;
        do
        {
            while (Inbox.TryTake(out RoutedEvent crossing))
            {
                Take(crossing);
            }

            seen = Interlocked.Add(ref _wakes, -seen);
        }
        while (seen > 0);
    }

    void IRoutedSource.OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        // An answer is sent once; who does not take it asks again.
    }

    void IRoutedSource.OnConsumed(RoutedDelivery delivery, int frames)
    {
        // Answers are whole.
    }

    internal override void OnDelivery(RoutedDelivery delivery)
    {
        if (delivery.IsWhole)
        {
            Answer(delivery, delivery.Block.AsMemory(0, delivery.Length).ToArray());
            return;
        }

        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write(delivery.Block.AsSpan(0, delivery.Length));
        _partial[delivery] = bytes;
    }

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part)
    {
        ArrayBufferWriter<byte> bytes = _partial[delivery];
        if (bytes.WrittenCount + part.Length <= MessageBytesMax)
        {
            bytes.Write(part.Bytes.AsSpan(0, part.Length));
        }

        bool isTooLong = bytes.WrittenCount + part.Length > MessageBytesMax;
        ArrayPool<byte>.Shared.Return(part.Bytes);
        delivery.Source.Inbox.Post(new RoutedEvent(RoutedEventKind.Consumed, delivery)
        {
            Generation = delivery.Generation,
            Count = 1,
        });
        delivery.Source.Inbox.Wake();
        if (part.IsLast)
        {
            _partial.Remove(delivery);
            Answer(delivery, isTooLong ? null : bytes.WrittenMemory.ToArray());
        }
    }

    internal override void OnAbort(RoutedDelivery delivery)
    {
        _partial.Remove(delivery);
        Conclude(delivery, RoutedState.Released);
    }

    internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (settled && _partial.Remove(delivery))
        {
            Conclude(delivery, RoutedState.None);
        }
    }

    private static void Conclude(RoutedDelivery delivery, byte[] state)
    {
        delivery.FreeRented();
        delivery.Conclude(state).Wake();
    }

    private void Answer(RoutedDelivery delivery, byte[]? message)
    {
        var caller = new ServiceCaller((delivery.Source as RoutedIncomingLink)?.Session.Connection);
        Conclude(delivery, message is null ? TooLong : RoutedState.Accepted);
        if (message is not null && _answer(message, caller) is { } answer)
        {
            Send(answer);
        }
    }

    /// <summary>Sends a message of the node's own; it is dropped when nobody wants it. Any thread.</summary>
    public void Send(in ServiceMessage message)
    {
        byte[] to = Encoding.UTF8.GetBytes(message.To);
        IRoute? route = _network.Find(to, phase: 0);
        RouteChoice choice = route?.Choose(default) ?? default;
        if (choice.Outlet is null)
        {
            return;
        }

        AddressTally tally = route!.Tallies.Open();
        tally.OnFromContainer();
        tally.OnChosen(choice.Outlet);
        route.Tallies.Close(tally);

        byte[] bytes = choice.Outlet.Peer is null ? message.Bytes : Stamped(to, message.Bytes, choice.Outlet.Peer);
        var delivery = new RoutedDelivery { Source = this };
        delivery.Begin(choice, bytes.Length);
        bytes.CopyTo(delivery.Block, 0);
        delivery.Length = bytes.Length;
        delivery.IsWhole = true;
        delivery.GoesSettled = choice.Outlet.Peer is not TrunkLinks { IsAlike: true };
        delivery.IsSettledBySender = delivery.GoesSettled;
        choice.Outlet.Inbox.Post(new RoutedEvent(RoutedEventKind.Delivery, delivery)
        {
            Generation = delivery.Generation,
        });
        choice.Outlet.Inbox.Wake();
    }

    // The routers' annotations in front of the bare message; to a node like this one it goes unsettled and marked.
    private byte[] Stamped(byte[] to, byte[] bare, PeerLink peer)
    {
        bool isMarked = peer is TrunkLinks { IsAlike: true };
        byte[] entries = RouterNotes.Entries(_network.StampId, to, phase: 0, isMarked, default, out int count);
        var output = new ArrayBufferWriter<byte>(bare.Length + entries.Length + 16);
        var writer = new AmqpWriter(output);
        writer.WriteDescriptor(Descriptors.MessageAnnotations);
        int map = writer.BeginCompound();
        writer.WriteRaw(entries);
        writer.EndMap(map, count);
        writer.WriteRaw(bare);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    private void Take(in RoutedEvent crossing)
    {
        var delivery = (RoutedDelivery)crossing.Subject;
        bool isOver = delivery.Source != this && delivery.IsOver(crossing.Generation);
        switch (crossing.Kind)
        {
            case RoutedEventKind.Delivery:
                OnDelivery(delivery);
                break;
            case RoutedEventKind.Part when isOver || !_partial.ContainsKey(delivery):
                ArrayPool<byte>.Shared.Return(crossing.Bytes!);
                break;
            case RoutedEventKind.Part:
                OnPart(delivery, new RoutedPart(crossing.Bytes!, crossing.Count, crossing.Flag));
                break;
            case RoutedEventKind.Abort when !isOver:
                OnAbort(delivery);
                break;
            case RoutedEventKind.SenderState when !isOver:
                OnSenderState(delivery, crossing.Bytes!, crossing.Flag);
                break;
        }
    }
}
