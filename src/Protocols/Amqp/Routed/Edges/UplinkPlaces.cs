using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>
/// The links that an edge has to the interior for addresses that its clients, or its broker, send to and draw from:
/// they come and go with them. Owned by the connection's loop.
/// </summary>
internal sealed class UplinkPlaces(ConnectionEndpoint connection, INetwork network, EdgeUplink uplink)
{
    /// <summary>Most addresses in one direction and the other; who wants further ones is not heard elsewhere.</summary>
    public const int PlacesMax = 100_000;

    private readonly Dictionary<(string Key, Role Role), Place> _places = [];
    private readonly List<AmqpSession> _sessions = [];

    /// <summary>A link is wanted, in this form, or no longer.</summary>
    public void OnWish(in UplinkWish wish, bool isWanted)
    {
        (string Key, Role Role) key = (wish.Key, wish.ToSend ? Role.Sender : Role.Receiver);
        if (!_places.TryGetValue(key, out Place? place))
        {
            if (!isWanted || _places.Count >= PlacesMax)
            {
                return;
            }

            _places.Add(key, place = new Place(key));
        }

        (place.Wish, place.IsWanted) = (wish, isWanted);
        Bring(place);
    }

    // From what is there to what is wanted. An attach that is not answered yet is looked at when it is.
    private void Bring(Place place)
    {
        if (place.IsBegun)
        {
            return;
        }

        if (place.Link is not { } link)
        {
            if (place.IsWanted)
            {
                Begin(place);
            }
            else
            {
                _places.Remove(place.Key);
            }

            return;
        }

        bool fits = place.IsWanted && place.Wish.Capability == place.Capability;
        place.IsEnding = !fits;
        if (link is RoutedOutgoingLink outgoing)
        {
            // What a sender that is gone had sent still goes out.
            outgoing.EndWhenIdle(!fits);
        }
        else if (!fits)
        {
            link.Session.Detach(link, error: null);
        }
    }

    private void Begin(Place place)
    {
        try
        {
            AmqpSession session = SessionWithRoom();
            (place.IsBegun, place.Capability) = (true, place.Wish.Capability);
            session.BeginLink(
                uplink.NewAttach(place.Key.Role, place.Wish.Address, place.Capability),
                answer => Make(place, session, answer));
        }
        catch (AmqpException)
        {
            // The interior takes no more sessions, or the address is longer than its frames.
            place.IsBegun = false;
            _places.Remove(place.Key);
        }
    }

    private AmqpSession SessionWithRoom()
    {
        AmqpSession? session = _sessions.Find(session => !session.IsEnding && session.HasFreeHandle);
        if (session is null)
        {
            _sessions.RemoveAll(session => session.IsEnding);
            session = connection.BeginSession();
            _sessions.Add(session);
        }

        return session;
    }

    private Link Make(Place place, AmqpSession session, Attach answer)
    {
        place.IsBegun = false;
        Link link = place.Key.Role == Role.Sender
            ? MakeOutgoing(place, session, answer)
            : MakeIncoming(place, session, answer);
        place.Link = link;
        if (!place.IsWanted || place.Wish.Capability != place.Capability)
        {
            // Meanwhile it is not wanted, or not so; it is ended when it has its place in the session.
            uplink.Want(place.Wish, place.IsWanted);
        }

        return link;
    }

    private RoutedIncomingLink MakeIncoming(Place place, AmqpSession session, Attach answer)
    {
        var link = new RoutedIncomingLink(session, answer, RoutedSender.Uplink) { OnReleased = () => Forget(place) };
        link.SetUplinkAddress(place.Wish.Address, place.Wish.Phase);
        return link;
    }

    private RoutedOutgoingLink MakeOutgoing(Place place, AmqpSession session, Attach answer)
    {
        string key = place.Key.Key;
        RoutedOutgoingLink? link = null;
        link = new RoutedOutgoingLink(session, answer, uplink)
        {
            OnCredit = any => network.OnUplinkOutlet(uplink, key, any ? link!.Outlet : null),
            OnReleased = () =>
            {
                network.OnUplinkOutlet(uplink, key, null);
                Forget(place);
            },
        };
        return link;
    }

    // One that the interior has ended although it is wanted is begun anew with the next wish.
    private void Forget(Place place)
    {
        place.Link = null;
        if (place is { IsEnding: true, IsWanted: true })
        {
            place.IsEnding = false;
            uplink.Want(place.Wish, isWanted: true);
        }
        else
        {
            _places.Remove(place.Key);
        }
    }

    /// <summary>A link for an address, from its wish to its end.</summary>
    private sealed class Place((string Key, Role Role) key)
    {
        public (string Key, Role Role) Key { get; } = key;

        /// <summary>What is wanted last.</summary>
        public UplinkWish Wish { get; set; }

        public bool IsWanted { get; set; }

        /// <summary>Whether the interior's answer to the attach is awaited.</summary>
        public bool IsBegun { get; set; }

        /// <summary>Whether the edge ends the link.</summary>
        public bool IsEnding { get; set; }

        /// <summary>What the link was begun with.</summary>
        public string? Capability { get; set; }

        public Link? Link { get; set; }
    }
}
