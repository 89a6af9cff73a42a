using System.Buffers;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Routed.Reading;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Drawing;

/// <summary>
/// Where other nodes speak to the node of a queue, topic or stream: one whose client drains its link asks there for
/// what is still to come. The answer follows the last message on its way; the question is settled when the answer has
/// arrived, so that who asked several nodes hears of the last. Owned by the port's loop.
/// </summary>
internal sealed class BrokerDoor(BrokerPort port, BrokerSource source) : Outlet
{
    /// <summary>Questions at once; further ones are refused, and so answered with what has come.</summary>
    public const int AskedMax = 1000;

    /// <summary>A router that has only now somebody who draws may be unknown here for so long, in
    /// milliseconds.</summary>
    public const int WayMsMax = 3000;

    private readonly List<Answer> _waiting = [];
    private int _asked;

    /// <inheritdoc/>
    public override OutletPlace Place => OutletPlace.Inside;

    /// <summary>Whether a question waits for a way.</summary>
    public bool IsWaiting => _waiting.Count > 0;

    internal override RoutedInbox Inbox => port.Traffic.Inbox;

    private INetwork Network => port.Network;

    private RoutedTraffic Traffic => port.Traffic;

    private int Priorities => source.PrioritiesSeen;

    /// <summary>Looks for those that wait for a way to who asked.</summary>
    public void Look()
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            Answer answer = _waiting[i];
            if (answer.DueMs <= port.SteadyMs || HasWayTo(answer.Router))
            {
                _waiting.RemoveAt(i);
                source.WhenDrained(answer.Send);
            }
        }
    }

    /// <summary>The place is gone.</summary>
    public void Close()
    {
        _waiting.ForEach(static answer => answer.Send());
        _waiting.Clear();
    }

    internal override void OnDelivery(RoutedDelivery delivery)
    {
        Answer? answer = null;
        try
        {
            answer = delivery.IsWhole && _asked < AskedMax
                ? Read(delivery, delivery.Block.AsSpan(0, delivery.Length)) : null;
        }
        catch (AmqpException)
        {
            // Not from a node like this one.
        }

        if (answer is null)
        {
            port.Conclude(delivery, RoutedState.Rejected(
                AmqpErrorCondition.NotAllowed, "the message is none that is understood here"));
            return;
        }

        _asked++;
        _waiting.Add(answer);
        Look();
    }

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part) =>
        ArrayPool<byte>.Shared.Return(part.Bytes);

    internal override void OnAbort(RoutedDelivery delivery)
    {
    }

    internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        // Who asked hears the answer in any case, and nobody is there any more who minds.
    }

    private bool HasWayTo(string router) =>
        source.Route is { } route && port.Network.HasDestinationAt(route, router);

    private Answer? Read(RoutedDelivery delivery, ReadOnlySpan<byte> message) =>
        ReaderMessage.Read(message) is ("DRAIN", { Length: > 0 } replyTo, { } body)
            ? new Answer(this, delivery, replyTo)
            {
                Router = ReaderMessage.TextOf(body, "router") ?? "",
                DueMs = port.SteadyMs + WayMsMax,
            }
            : null;

    private void Conclude(RoutedDelivery question)
    {
        _asked--;
        port.Conclude(question, RoutedState.Accepted);
    }

    /// <summary>An answer, from its question to its arrival: one message on each way that messages went by.</summary>
    private sealed class Answer(BrokerDoor door, RoutedDelivery question, string replyTo) : IRoutedSource
    {
        private const int PriorityOfNone = 4;

        private int _left;

        public required string Router { get; init; }

        public required long DueMs { get; init; }

        public RoutedInbox Inbox => door.Inbox;

        public void Send()
        {
            var post = new ReaderPost(door.Network, door.Traffic, this);
            byte[] message = ReaderMessage.Empty(replyTo, last: 0);
            int priorities = door.Priorities | (1 << PriorityOfNone);
            for (int priority = 0; priority < TrunkLinks.PrioritiesMax; priority++)
            {
                if ((priorities & (1 << priority)) != 0 && post.TrySend(replyTo, message, priority))
                {
                    _left++;
                }
            }

            if (_left == 0)
            {
                door.Conclude(question);
            }
        }

        public void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
        {
            if (settled && --_left == 0)
            {
                door.Conclude(question);
            }
        }

        public void OnConsumed(RoutedDelivery delivery, int frames)
        {
        }
    }
}
