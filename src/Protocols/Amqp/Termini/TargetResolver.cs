using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>From the target of an attach to a producer (part 3 section 3.5.4).</summary>
internal static class TargetResolver
{
    /// <summary>
    /// Opens the producer; the target is the node's answer. Errors are link errors or <see cref="BrokerException"/>.
    /// </summary>
    public static (Producer Producer, DynamicNode? Node, Target Answer) Open(
        ConnectionEndpoint connection, Attach attach)
    {
        if (attach.Target is not Target target)
        {
            throw new AmqpException(AmqpErrorCondition.InvalidField, "the link has no target", AmqpSeverity.Link);
        }

        if (target.Dynamic)
        {
            DynamicNode node = DynamicNode.Create(connection, target.Capabilities);
            Target answer = target with { Address = node.Name, DynamicNodeProperties = DynamicNode.Properties() };
            try
            {
                return (OpenProducer(connection, attach.Name, node.Name, null), node, answer);
            }
            catch (BrokerException)
            {
                node.OnLinkEnd(connection, LinkEnd.Closed);
                throw;
            }
        }

        if (string.IsNullOrEmpty(target.Address))
        {
            return (OpenProducer(connection, attach.Name, null, null), null, target with { Capabilities = null });
        }

        TerminusName name = TerminusName.Parse(target.Address, connection.Options, target.Capabilities);
        Producer producer = OpenProducer(connection, attach.Name, name.Name.ToString(), name.RoutingType);
        string[] known = ["queue", "topic"];
        string[]? offered = target.Capabilities?.Intersect(known).ToArray();
        return (producer, null, target with { Capabilities = offered is { Length: > 0 } ? offered : null });
    }

    private static Producer OpenProducer(
        ConnectionEndpoint connection, string linkName, string? address, Model.RoutingType? routing) =>
        connection.Client.OpenProducer(
            new ProducerOptions { Address = address, RoutingType = routing, Name = linkName });
}
