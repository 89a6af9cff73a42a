using System.Buffers;
using System.Globalization;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>
/// What an edge is told of the addresses that it has links for: whether somebody else in the network wants what is sent
/// there (an edge of another kind uses such a link only then), and, an edge like this node, whether a broker has the
/// address. Owned by the connection's loop.
/// </summary>
internal sealed class EdgeTracking : IBrokerWatch
{
    /// <summary>The source that an edge draws it from.</summary>
    public const string Address = "_$qd.edge_addr_tracking";

    private const string Queue = "M0_$broker.queue/";
    private const string Topic = "M0_$broker.topic/";

    private readonly Dictionary<string, int> _used = new(StringComparer.Ordinal);
    private readonly ConnectionEndpoint _connection;

    public EdgeTracking(AmqpSession session, Attach attach)
    {
        _connection = session.Connection;
        Link = new ControlOutgoingLink(session, attach, static () => { });
    }

    /// <summary>The link.</summary>
    public ControlOutgoingLink Link { get; }

    /// <summary>What a message says of an address's broker; null: nothing. Errors: decode-error.</summary>
    public static (string Address, bool IsMulticast, bool IsThere)? Read(ReadOnlySpan<byte> message)
    {
        if (AmqpMessage.Read(message).Value.AsList() is not [var key, var isThere, ..] || key.AsText() is not { } text)
        {
            return null;
        }

        bool isTopic = text.StartsWith(Topic, StringComparison.Ordinal);
        return isTopic || text.StartsWith(Queue, StringComparison.Ordinal)
            ? (text[Queue.Length..], isTopic, isThere.AsBoolean())
            : null;
    }

    /// <summary>Tells of an address. An edge that has begun its link for it anew is to hear it anew: it has forgotten
    /// it with the last one.</summary>
    public void Tell(IRoute route, bool hasDestinations) =>
        Tell(string.Create(CultureInfo.InvariantCulture, $"M{route.Phase}{route.Address}"), hasDestinations);

    /// <summary>The edge has a link for an address; an edge like this node hears of its brokers.</summary>
    public void Use(string address)
    {
        if (_connection.IsPeerAlike)
        {
            int links = _used[address] = _used.GetValueOrDefault(address) + 1;
            if (links == 1)
            {
                _connection.Network!.WatchBroker(address, this);
            }
        }
    }

    /// <summary>Such a link is gone.</summary>
    public void Leave(string address)
    {
        if (_used.TryGetValue(address, out int links))
        {
            _used[address] = links - 1;
            if (links == 1)
            {
                _used.Remove(address);
                _connection.Network!.UnwatchBroker(address, this);
            }
        }
    }

    /// <inheritdoc/>
    public void OnBroker(string address, bool isMulticast, bool isThere)
    {
        RoutedInbox inbox = _connection.Routed.Inbox;
        string key = (isMulticast ? Topic : Queue) + address;
        inbox.Post(new RoutedEvent(RoutedEventKind.Call, new News(this, key)) { Flag = isThere });
        inbox.Wake();
    }

    private void Tell(string key, bool isThere) => Link.Send(Message(key, isThere));

    private static byte[] Message(string key, bool isThere)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        writer.WriteDescriptor(HeaderSection.DescriptorCode);
        int header = writer.BeginCompound();
        writer.WriteBoolean(false);
        writer.EndList(header, 1);
        writer.WriteDescriptor(Descriptors.AmqpValue);
        int list = writer.BeginCompound();
        writer.WriteString(key);
        writer.WriteBoolean(isThere);
        writer.EndList(list, 2);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>News of a broker on its way to the loop.</summary>
    private sealed class News(EdgeTracking tracking, string key) : IRoutedCall
    {
        public void Run(in RoutedEvent crossing) => tracking.Tell(key, crossing.Flag);

        public void OnGone(in RoutedEvent crossing)
        {
            // So is the edge.
        }
    }
}
