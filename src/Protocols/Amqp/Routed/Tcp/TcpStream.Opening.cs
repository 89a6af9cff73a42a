using System.Text;

namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <content>How the two messages of a connection begin.</content>
internal sealed partial class TcpStream
{
    private TcpEntrance? _entrance;
    private Task<IServiceSocket>? _dial;
    private Action? _onUnreached;
    private TcpMessage _asked;
    private IRoute? _replyRoute;
    private TcpOutlet? _replyOutlet;
    private bool _isBegun;

    /// <summary>The connection, for people.</summary>
    public string Name { get; private init; } = "";

    /// <summary>A client has connected to a service's listener. Any thread.</summary>
    public static void Accept(TcpLoop loop, TcpEntrance entrance, IServiceSocket socket, string id) =>
        loop.Ready(
            new TcpStream(loop, socket, entrance.Tally) { _entrance = entrance, Name = $"{entrance.Address} {id}" });

    /// <summary>A message asks for a connection to a service's server. On the loop.</summary>
    public static TcpStream Dial(TcpLoop loop, TcpExit exit, Action onUnreached, in TcpMessage asked)
    {
        Task<IServiceSocket> dial = exit.DialAsync();
        var stream = new TcpStream(loop, null, exit.Tally)
        {
            _dial = dial,
            _onUnreached = onUnreached,
            _asked = asked,
            Name = $"{exit.Address} {asked.ConnectionId}",
        };
        loop.Add(stream);
        if (dial.IsCompleted)
        {
            loop.Ready(stream);
        }
        else
        {
            dial.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(stream._ready);
        }

        return stream;
    }

    private void Begin()
    {
        if (_isBegun)
        {
            return;
        }

        if (_entrance is { } entrance)
        {
            _isBegun = true;
            _loop.Add(this);
            BeginAsClient(entrance);
        }
        else if (_dial is { IsCompleted: true } dial)
        {
            _isBegun = true;
            BeginAsServer(dial);
        }
    }

    private void BeginAsClient(TcpEntrance entrance)
    {
        RouteChoice choice = _loop.IsOver ? default : entrance.Route.Choose(new RouteQuery { Priority = Priority });
        string reply = _loop.Network.NewDynamicAddress(forSender: false);
        _replyOutlet = new TcpOutlet(_loop, _ => _in is null && !_isOver ? this : null);
        _replyRoute = _loop.Network.OpenReceiver(reply, _replyOutlet);
        if (choice.Outlet is null || _replyRoute is null)
        {
            Fail("the service has no server now");
            return;
        }

        BeginMessage(choice, entrance.Route.Phase, entrance.Route.Address,
            TcpMessage.Head(entrance.Address, reply, Name));
    }

    private void BeginAsServer(Task<IServiceSocket> dial)
    {
        if (!dial.IsCompletedSuccessfully)
        {
            Log.TcpEnded(_loop.Logger, Name, dial.Exception?.InnerException?.Message ?? "the server was not reached");
            _onUnreached?.Invoke();
            ConcludeIncoming(RoutedState.Released);
            Close(isOrderly: false);
            return;
        }

        _socket = dial.Result;
        IRoute? route = _asked.ReplyTo is { } reply
            ? _loop.Network.Find(Encoding.UTF8.GetBytes(reply), phase: null) : null;
        if (route?.Choose(new RouteQuery { Priority = Priority }) is not { Outlet: not null } choice)
        {
            Fail("the client is not reached");
            return;
        }

        string to = _asked.ReplyTo!;
        BeginMessage(choice, route.Phase, to, TcpMessage.Head(to, replyTo: null, _asked.ConnectionId ?? ""));
    }

    // The priority of messages that say none.
    private const int Priority = 4;

    private void BeginMessage(in RouteChoice choice, int phase, string to, byte[] message)
    {
        RouteChoice chosen = choice.Outlet!.Peer?.StreamOutlet is { } streams
            ? choice with { Outlet = streams } : choice;
        RouterStamp stamp = RouterStamp.OfStream(_loop.Network, to, phase);
        _out = new RoutedDelivery { Source = this };
        _out.Begin(chosen, message.Length + RoutedBytes.SectionBytesMax + stamp.Entries.Length);
        _out.MessageFormat = 0;
        _out.IsWhole = false;
        _out.GoesSettled = false;
        _out.Length = chosen.Outlet!.Peer is null ? Copy(message, _out.Block) : Stamp(message, stamp, _out.Block);
        _loop.Traffic.Post(chosen.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Delivery, _out)
        {
            Generation = _out.Generation,
        });
    }

    private static int Copy(byte[] message, byte[] into)
    {
        message.CopyTo(into, 0);
        return message.Length;
    }

    private static int Stamp(byte[] message, in RouterStamp stamp, byte[] into)
    {
        RoutedHead.Scan(message, out RoutedHead head);
        return RoutedBytes.Write(message, head, default, stamp, into);
    }

    private void CloseReply()
    {
        if (_replyRoute is not null)
        {
            _loop.Network.CloseReceiver(_replyRoute, _replyOutlet!);
            _replyRoute = null;
        }
    }
}
