using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Brokers;
using Pillarbox.Router.Containers;

namespace Pillarbox.Router.Edges;

/// <summary>In the interior: where edges say that they are there, and ask. Any thread.</summary>
/// <param name="gate">The network's lock.</param>
/// <param name="routes">The addresses in use.</param>
/// <param name="brokers">What of the network is a broker's.</param>
/// <param name="containers">What goes through to containers as a whole.</param>
internal sealed class EdgeDesk(Lock gate, RouteTable routes, BrokerAddresses brokers, ContainerLinks containers)
{
    /// <summary>Answers at the addresses that edges know.</summary>
    public void Serve(INetwork network)
    {
        routes.Serve(EdgeServices.Heartbeat, new NetworkService(network, static (_, _) => null));
        routes.Serve(EdgeServices.Lookup, new NetworkService(
            network, (message, caller) => EdgeServices.AnswerLookup(
                message.Span, routes.HasDestinations,
                (name, toSend) => containers.IsThere(name, toSend, caller.Carrier), BrokerOf)));
    }

    private string? BrokerOf(string address)
    {
        lock (gate)
        {
            return RouteAddress.TryParse(address, out RouteAddress parsed) ? brokers.KindOf(parsed) : null;
        }
    }
}
