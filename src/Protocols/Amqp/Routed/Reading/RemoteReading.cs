using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Reading;

/// <summary>
/// A client's link that reads a stream of another node's broker, from where it says. The stream's node reads for it,
/// and sends the records to an address that this link alone has. They are numbered: when one is missing, or the other
/// node is not reached any more, the link ends, and the client attaches anew behind what it has. The attach is answered
/// once the reading has begun, so that "what comes from now on" means what it says. Owned by the connection's loop.
/// </summary>
internal sealed class RemoteReading : IRoutedSource, IDestinationWatch, IDestinationListener, ITicked
{
    /// <summary>The reading has to begin within this time.</summary>
    public const int BeginMsMax = 10_000;

    /// <summary>The stream's node is told so often that the reader is there.</summary>
    public const int AliveMs = 5000;

    private readonly AmqpSession _session;
    private readonly INetwork _network;
    private readonly Attach _attach;
    private readonly SourceFilters _filters;
    private readonly string _door;
    private readonly string _replyTo;
    private readonly ReaderPost _post;
    private readonly Mailbox _mailbox;
    private RoutedOutgoingLink _link = null!;
    private IRoute? _reply;
    private IRoute? _source;
    private string? _sourceAddress;
    private ITimer? _timer;
    private long _expected = 1;
    private long _askedMs;
    private long? _emptyBehind;
    private Action? _onEmpty;
    private bool _isOver;

    private RemoteReading(AmqpSession session, INetwork network, Attach attach, string door, SourceFilters filters)
    {
        _session = session;
        _network = network;
        _attach = attach;
        _door = door;
        _filters = filters;
        _replyTo = network.NewDynamicAddress(forSender: false);
        _post = new ReaderPost(network, session.Connection.Routed, this);
        _mailbox = new Mailbox(this);
    }

    /// <inheritdoc/>
    public RoutedInbox Inbox => _session.Connection.Routed.Inbox;

    private AmqpEnvironment Environment => _session.Connection.Environment;

    /// <summary>Takes the attach of a receiver when it says how a stream is to be read, and the broker of this node has
    /// none of that name. Errors: the authorizer's refusal, invalid-field.</summary>
    public static bool Takes(AmqpSession session, INetwork network, Attach attach, Source source)
    {
        if (source.Dynamic || source.Address is not { Length: > 0 } address
            || session.Connection is not { Tenant: null, Role: ConnectionRole.Normal }
            || ReaderMessage.IsReserved(address))
        {
            return false;
        }

        (string text, string? group, int? partition) = StreamSource.Split(address);
        if (!AddressName.TryParse(text, out AddressName name, out _) || IsOfBroker(session.Connection.Client, name))
        {
            return false;
        }

        string door = ReaderMessage.DoorOf(name.Address);
        bool isThere = network.Find(System.Text.Encoding.UTF8.GetBytes(door), phase: null) is { } route
            && route.Address == door;
        SourceFilters filters = SourceFilters.Parse(source.Filter, session.Connection.NowMs);
        bool isAsked = filters.Start is not null || group is not null || partition is not null;
        if (!isAsked && !(isThere && (name.Queue is not null || StreamSource.IsNamed(attach.Properties))))
        {
            return false;
        }

        RoutedAttach.Authorize(session.Connection, name.Address, Permission.Consume);
        if (StreamSource.GroupOf(group, attach.Properties) is { } joined)
        {
            RoutedAttach.Authorize(session.Connection, joined, Permission.Consume);
        }

        new RemoteReading(session, network, attach, door, filters).Ask();
        return true;
    }

    /// <inheritdoc/>
    public void OnDestinations(bool any)
    {
        if (!any)
        {
            Inbox.Post(new RoutedEvent(RoutedEventKind.Destinations, this) { Flag = any });
            Inbox.Wake();
        }
    }

    /// <inheritdoc/>
    public void OnDestinationsTold(bool any) =>
        End(ReaderMessage.LinkLost, "the stream's node is not reached any more");

    /// <inheritdoc/>
    public void OnTick()
    {
        if (_isOver)
        {
            return;
        }

        if (_sourceAddress is null)
        {
            if (Environment.SteadyMs - _askedMs > BeginMsMax)
            {
                End(ReaderMessage.LinkLost, "the stream's node does not answer");
            }
        }
        else if (!Say(isAlive: true))
        {
            OnDestinationsTold(any: false);
        }
    }

    /// <summary>What the other node says of the messages about the reading.</summary>
    public void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (!settled || _isOver || ReferenceEquals(state, RoutedState.Accepted))
        {
            return;
        }

        if (_sourceAddress is null)
        {
            End(AmqpErrorCondition.NotFound, $"there is no stream '{_attach.Source!.Address}' in the network");
        }
        else
        {
            End(ReaderMessage.LinkLost, "the stream's node has ended the reading");
        }
    }

    /// <inheritdoc/>
    public void OnConsumed(RoutedDelivery delivery, int frames)
    {
    }

    private static bool IsOfBroker(BrokerClient client, AddressName name) =>
        client.IsStream(name.Address) || client.FindAddress(name.Address) is not null
        || client.FindQueue(name.Address) is not null;

    private void Ask()
    {
        _link = new RoutedOutgoingLink(_session, _attach, peer: null)
        {
            Address = _attach.Source!.Address,
            IsHeld = true,
            OnReleased = Close,
            OnDrain = AskForRest,
        };
        _askedMs = Environment.SteadyMs;
        _reply = _network.OpenReceiver(_replyTo, _mailbox);
        _session.Put(_link);
        if (_reply is null || !_post.TrySend(_door, ReaderMessage.Open(_door, _replyTo, _attach)))
        {
            End(AmqpErrorCondition.NotFound, $"there is no stream '{_attach.Source!.Address}' in the network");
            return;
        }

        var period = TimeSpan.FromMilliseconds(AliveMs);
        _timer = Environment.Time.CreateTimer(
            static self => ((RemoteReading)self!).PostTick(), this, period, period);
    }

    private void PostTick()
    {
        Inbox.Post(new RoutedEvent(RoutedEventKind.Tick, this));
        Inbox.Wake();
    }

    private void OnMessage(RoutedDelivery delivery)
    {
        long? number = _isOver ? null : NumberOf(delivery);
        if (number is null)
        {
            GiveBack(delivery, RoutedState.Released);
        }
        else if (number <= 0)
        {
            byte[] message = delivery.Block[..delivery.Length];
            GiveBack(delivery, RoutedState.Accepted);
            OnWord(number.Value, message);
        }
        else if (number != _expected || _sourceAddress is null)
        {
            GiveBack(delivery, RoutedState.Released);
            End(ReaderMessage.LinkLost, $"record {_expected} of the reading was lost on the way");
        }
        else
        {
            _expected++;
            _link.OnDelivery(delivery);
            TellIfEmpty();
        }
    }

    private static long? NumberOf(RoutedDelivery delivery)
    {
        try
        {
            return ReaderMessage.NumberOf(delivery.Block.AsSpan(0, delivery.Length));
        }
        catch (AmqpException)
        {
            return null;
        }
    }

    private void GiveBack(RoutedDelivery delivery, byte[] state)
    {
        delivery.FreeRented();
        _session.Connection.Routed.Touch(delivery.Conclude(state));
    }

    private void OnWord(long number, byte[] message)
    {
        AmqpMap? body = null;
        try
        {
            body = ReaderMessage.Read(message)?.Body;
        }
        catch (AmqpException)
        {
            // Not from a node like this one.
        }

        if (body is null)
        {
            return;
        }

        if (number == ReaderMessage.Ended)
        {
            End(ReaderMessage.TextOf(body, "condition") ?? AmqpErrorCondition.NotFound,
                ReaderMessage.TextOf(body, "description") ?? "the stream's node has ended the reading");
        }
        else if (number == ReaderMessage.Drained)
        {
            _emptyBehind = ReaderMessage.IntegerOf(body, "last");
            TellIfEmpty();
        }
        else if (_sourceAddress is null && ReaderMessage.TextOf(body, "address") is { } address)
        {
            OnBegun(address);
        }
    }

    // The reader wants back what it has not used of its credit; its answer waits for what is on its way.
    private bool AskForRest(Action onEmpty)
    {
        (_onEmpty, _emptyBehind) = (onEmpty, null);
        return !_isOver && _sourceAddress is { } address
            && _post.TrySend(_source!, address, ReaderMessage.Drain(address, replyTo: null, _network.NodeId));
    }

    private void TellIfEmpty()
    {
        if (_emptyBehind < _expected && _onEmpty is { } tell)
        {
            (_onEmpty, _emptyBehind) = (null, null);
            tell();
        }
    }

    private void OnBegun(string address)
    {
        _source = _network.OpenSender(address, this);
        if (_source is null)
        {
            End(ReaderMessage.LinkLost, "the stream's node is not reached");
            return;
        }

        _sourceAddress = address;
        Answer(_attach.Source! with { Filter = _filters.AppliedToStream, Capabilities = null });
        _link.EndHold();
    }

    private void Answer(Source? source)
    {
        if (_link.IsHeld)
        {
            _session.AnswerRouted(_attach, source);
            _link.IsHeld = false;
        }
    }

    private bool Say(bool isAlive) =>
        _post.TrySend(_source!, _sourceAddress!, ReaderMessage.Sign(_sourceAddress!, isAlive));

    private void End(string condition, string description)
    {
        if (_isOver)
        {
            return;
        }

        // One that never began is refused: attached without a source.
        Answer(source: null);
        _session.Detach(_link, new AmqpError { Condition = condition, Description = description });
    }

    // The link is gone, by whatever side.
    private void Close()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        Answer(_attach.Source);
        _timer?.Dispose();
        if (_reply is not null)
        {
            _network.CloseReceiver(_reply, _mailbox);
        }

        if (_source is not null)
        {
            Say(isAlive: false);
            _network.CloseSender(_source, this);
        }
    }

    /// <summary>The address that the records come to.</summary>
    private sealed class Mailbox(RemoteReading reading) : Outlet
    {
        internal override RoutedInbox Inbox => reading.Inbox;

        internal override void OnDelivery(RoutedDelivery delivery) => reading.OnMessage(delivery);

        internal override void OnPart(RoutedDelivery delivery, in RoutedPart part)
        {
            if (reading._isOver)
            {
                ArrayPool<byte>.Shared.Return(part.Bytes);
            }
            else
            {
                reading._link.OnPart(delivery, part);
            }
        }

        internal override void OnAbort(RoutedDelivery delivery)
        {
            if (!reading._isOver)
            {
                reading._link.OnAbort(delivery);
                reading.End(ReaderMessage.LinkLost, "a record of the reading was lost on the way");
            }
        }

        internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
        {
            if (!reading._isOver)
            {
                reading._link.OnSenderState(delivery, state, settled);
            }
        }
    }
}

/// <summary>Who hears on its own loop that a timer has fired.</summary>
internal interface ITicked
{
    /// <summary>It has.</summary>
    void OnTick();
}
