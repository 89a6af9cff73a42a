using Pillarbox.Model;

namespace Pillarbox.Router.Addresses;

/// <summary>Addresses that a node makes for its clients. Any thread.</summary>
internal sealed class NodeNames(string nodeId, bool isEdge, IRandom random)
{
    private const int DynamicNameBytes = 8;

    // Of an address that was made for a sender.
    private const string DynamicPrefix = "_$temp.";

    /// <summary>The network's address for what a client calls an address whose addresses are within a virtual host:
    /// addresses of routers and those that nodes make are the same for all.</summary>
    public static string Within(string tenant, string address) =>
        RouteAddress.TryParse(address, out RouteAddress parsed) && parsed.Class == RouteAddressClass.Mobile
            && !parsed.Name.StartsWith(DynamicPrefix, StringComparison.Ordinal)
            ? $"{tenant}/{parsed.Name}"
            : address;

    /// <summary>An address that nobody else has: of this node for a receiver, anywhere in the network for a
    /// sender.</summary>
    public string NewDynamic(bool forSender)
    {
        Span<byte> bytes = stackalloc byte[DynamicNameBytes];
        random.Fill(bytes);
        string name = Convert.ToHexStringLower(bytes)[..15];
        return forSender ? $"amqp:/{DynamicPrefix}{name}"
            : isEdge ? $"amqp:/_edge/{nodeId}/temp.{name}"
            : $"amqp:/_topo/0/{nodeId}/temp.{name}";
    }
}
