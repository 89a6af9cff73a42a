using Pillarbox.Broker;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// A node that exists because a terminus with <c>dynamic</c> asked for it (part 3 sections 3.5.3 and 3.5.4): a
/// temporary queue.
/// </summary>
internal sealed record DynamicNode(string Name)
{
    private const int NameRandomBytes = 16;

    /// <summary>
    /// Makes one. Its address and its queue have the same random name; it goes with the connection at the latest.
    /// </summary>
    public static DynamicNode Create(ConnectionEndpoint connection, string[]? capabilities)
    {
        bool topic = capabilities is not null
            && (capabilities.Contains("topic") || capabilities.Contains("temporary-topic"));
        var node = new DynamicNode(RandomName(connection.Environment.Random));
        connection.Client.CreateQueue(new QueueConfig
        {
            Name = node.Name,
            Address = node.Name,
            RoutingType = topic ? RoutingType.Multicast : RoutingType.Anycast,
            Durable = false,
            Temporary = true,
            AutoCreated = true,
        });
        return node;
    }

    /// <summary>A name that nobody guesses.</summary>
    public static string RandomName(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[NameRandomBytes];
        random.Fill(bytes);
        return "temp." + Convert.ToHexStringLower(bytes);
    }

    /// <summary>The node-properties that tell the peer how long the node lives: delete-on-close.</summary>
    public static AmqpMap Properties()
    {
        var properties = new AmqpMap();
        properties.AddSymbol(
            "lifetime-policy", AmqpValue.Described(DeleteOnClose.DescriptorCode, AmqpValue.List()));
        return properties;
    }

    /// <summary>The link that made it has ended.</summary>
    public void OnLinkEnd(ConnectionEndpoint connection, LinkEnd end)
    {
        if (end != LinkEnd.Closed)
        {
            return;
        }

        try
        {
            connection.Client.DeleteQueue(Name, ifUnused: false);
        }
        catch (BrokerException)
        {
            // Gone already.
        }
    }
}
