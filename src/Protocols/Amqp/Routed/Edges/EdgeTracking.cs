using System.Buffers;
using System.Globalization;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>
/// What an edge is told of the addresses that its senders have links for: whether somebody else in the network wants
/// what is sent there. An edge uses such a link only then. Owned by the connection's loop.
/// </summary>
internal sealed class EdgeTracking(AmqpSession session, Attach attach)
{
    /// <summary>The source that an edge draws it from.</summary>
    public const string Address = "_$qd.edge_addr_tracking";

    private readonly Dictionary<string, bool> _told = [];

    /// <summary>The link.</summary>
    public ControlOutgoingLink Link { get; } = new(session, attach, static () => { });

    /// <summary>Tells of an address, when it is news.</summary>
    public void Tell(IRoute route, bool hasDestinations)
    {
        string key = string.Create(CultureInfo.InvariantCulture, $"M{route.Phase}{route.Address}");
        if (_told.TryGetValue(key, out bool before) && before == hasDestinations)
        {
            return;
        }

        _told[key] = hasDestinations;
        Link.Send(Message(key, hasDestinations));
    }

    private static byte[] Message(string key, bool hasDestinations)
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
        writer.WriteBoolean(hasDestinations);
        writer.EndList(list, 2);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }
}
