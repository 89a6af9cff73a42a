using System.Buffers;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Routed.Reading;

namespace Pillarbox.Protocols.Amqp.Routed.Drawing;

/// <summary>
/// Of a client's link that draws from a queue or topic of other nodes: asks them for what is still to come, when the
/// client wants its unused credit back. What they send on its way is there when all have answered. Owned by the
/// connection's loop.
/// </summary>
internal sealed class DrainQuestion : IRoutedSource, ITicked
{
    /// <summary>An answer is waited for so long, in milliseconds; then what has come is all.</summary>
    public const int PatienceMs = 10_000;

    private readonly AmqpSession _session;
    private readonly INetwork _network;
    private readonly string _address;
    private readonly ReaderPost _post;
    private readonly Mailbox _mailbox;
    private IRoute? _reply;
    private ITimer? _timer;
    private Action? _done;
    private int _left;

    public DrainQuestion(AmqpSession session, INetwork network, string address)
    {
        (_session, _network, _address) = (session, network, address);
        _post = new ReaderPost(network, session.Connection.Routed, this);
        _mailbox = new Mailbox(this);
    }

    /// <inheritdoc/>
    public RoutedInbox Inbox => _session.Connection.Routed.Inbox;

    /// <summary>Asks, once, and calls when all have answered. False: there is nobody.</summary>
    public bool Ask(Action done)
    {
        IReadOnlyList<string> doors = _network.DoorsOf(_address);
        if (doors.Count == 0)
        {
            return false;
        }

        string replyTo = _network.NewDynamicAddress(forSender: false);
        _reply = _network.OpenReceiver(replyTo, _mailbox);
        foreach (string door in doors)
        {
            _left += _post.SendToAll(door, ReaderMessage.Drain(door, replyTo, _network.HomeRouter));
        }

        if (_left == 0)
        {
            Close();
            return false;
        }

        _done = done;
        _timer = _session.Connection.Environment.Time.CreateTimer(
            static self => ((DrainQuestion)self!).PostTick(), this, TimeSpan.FromMilliseconds(PatienceMs),
            Timeout.InfiniteTimeSpan);
        return true;
    }

    /// <summary>Nobody wants to hear any more.</summary>
    public void Close()
    {
        _done = null;
        _left = 0;
        _timer?.Dispose();
        _timer = null;
        if (_reply is { } reply)
        {
            _reply = null;
            _network.CloseReceiver(reply, _mailbox);
        }
    }

    /// <inheritdoc/>
    public void OnTick() => Conclude();

    /// <inheritdoc/>
    public void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (settled && _done is not null && --_left == 0)
        {
            Conclude();
        }
    }

    /// <inheritdoc/>
    public void OnConsumed(RoutedDelivery delivery, int frames)
    {
    }

    private void Conclude()
    {
        if (_done is { } done)
        {
            Close();
            done();
        }
    }

    private void PostTick()
    {
        Inbox.Post(new RoutedEvent(RoutedEventKind.Tick, this));
        Inbox.Wake();
    }

    /// <summary>Where an answer comes to: behind the last message of its node.</summary>
    private sealed class Mailbox(DrainQuestion question) : Outlet
    {
        public override OutletPlace Place => OutletPlace.Inside;

        internal override RoutedInbox Inbox => question.Inbox;

        internal override void OnDelivery(RoutedDelivery delivery)
        {
            delivery.FreeRented();
            question._session.Connection.Routed.Touch(delivery.Conclude(RoutedState.Accepted));
        }

        internal override void OnPart(RoutedDelivery delivery, in RoutedPart part) =>
            ArrayPool<byte>.Shared.Return(part.Bytes);

        internal override void OnAbort(RoutedDelivery delivery)
        {
        }

        internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
        {
        }
    }
}
